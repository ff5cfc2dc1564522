"""Features in, figures out: distances, rankings, metrics, statistics."""
