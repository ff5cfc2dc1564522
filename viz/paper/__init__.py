"""Figures as files, and the counterparts of the paper's figures and tables."""

from viz.export import save

__all__ = ["save"]
