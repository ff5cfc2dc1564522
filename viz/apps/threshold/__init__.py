"""The threshold page: same person or not."""
