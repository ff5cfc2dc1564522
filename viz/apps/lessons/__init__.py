"""The lessons: one idea each, small enough to play with."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "bnneck": "viz.apps.lessons.neck",
    "gem": "viz.apps.lessons.gempool",
    "pk_batch": "viz.apps.lessons.pkdraw",
    "ranked_list": "viz.apps.lessons.listed",
    "reciprocal": "viz.apps.lessons.mutual",
    "smoothing": "viz.apps.lessons.certainty",
    "stripes": "viz.apps.lessons.pulled",
    "triplets": "viz.apps.lessons.hardest",
}
"""Where each lesson lives; each is a function of that name."""

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'viz.apps.lessons' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
