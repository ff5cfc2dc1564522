"""Weights from other projects: read safely, renamed, and what did not fit told."""

from mfa.models.weight_conversion.convert import Imported, convert, read_foreign
from mfa.models.weight_conversion.sources import SOURCES

__all__ = ["SOURCES", "Imported", "convert", "read_foreign"]
