"""A run on disk: checkpoint, configuration, history, export."""
