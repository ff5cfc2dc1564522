"""The lessons: one idea each, small enough to play with."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "bnneck": "viz.apps.lessons.bnneck_spaces",
    "gem": "viz.apps.lessons.gem_pooling",
    "pk_batch": "viz.apps.lessons.pk_batches",
    "predict": "viz.apps.lessons.prediction",
    "quiz": "viz.apps.lessons.ten_questions",
    "quiz_difference": "viz.apps.lessons.ten_questions",
    "ranked_list": "viz.apps.lessons.list_scores",
    "reciprocal": "viz.apps.lessons.reciprocal_neighbours",
    "smoothing": "viz.apps.lessons.label_smoothing",
    "stripes": "viz.apps.lessons.stripe_guidance",
    "triplets": "viz.apps.lessons.hard_triplets",
}
"""Where each function lives."""

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'viz.apps.lessons' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
