"""The map engine: what a branch looks at, from gradients of a score.

Names are loaded on first use, so that tables of measured maps can be drawn without PyTorch.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "METHODS": "weightings",
    "BranchMaps": "record",
    "Contrast": "targets",
    "FUSED": "tables",
    "Identity": "targets",
    "ImagesWithCameras": "inputs",
    "Similarity": "targets",
    "Target": "targets",
    "branch_maps": "engine",
    "normalised": "weightings",
    "random_weights": "sanity_checks",
    "sanity_check_maps": "sanity_checks",
}
"""Where each public name lives."""

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"mfa.explain.{_HOME[name]}"), name)
    raise AttributeError(f"module 'mfa.explain' has no attribute {name!r}")
