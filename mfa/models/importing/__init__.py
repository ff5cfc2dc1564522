"""Weights from other projects: read safely, renamed, and what did not fit told."""

from mfa.models.importing.convert import Imported, convert, read_foreign
from mfa.models.importing.sources import SOURCES

__all__ = ["SOURCES", "Imported", "convert", "read_foreign"]
