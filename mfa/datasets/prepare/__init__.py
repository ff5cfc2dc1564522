"""Putting a dataset in place: archives, a table of one's own, views for distillation."""
