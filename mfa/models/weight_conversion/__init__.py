"""Weights of other projects as networks of ours."""

from mfa.models.weight_conversion.convert import Imported, convert
from mfa.models.weight_conversion.sources import SOURCES

__all__ = ["SOURCES", "Imported", "convert"]
