"""Pictures as arrays: loaded, overlaid, put on a sheet."""
