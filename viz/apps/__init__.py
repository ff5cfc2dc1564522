"""The interactive workbench: one call an app, in a notebook or as a web page.

Apps are loaded on first use: ``viz.apps.ranks(run)`` brings ipywidgets and PyTorch, ``import viz``
does not.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "ranks": "viz.apps.ranksapp",
    "attention": "viz.apps.attentionapp",
    "switchboard": "viz.apps.switchboardapp",
    "occlusion": "viz.apps.occlusionapp",
    "ablation": "viz.apps.ablationapp",
    "failures": "viz.apps.failuresapp",
    "browser": "viz.apps.browserapp",
    "embedding": "viz.apps.embeddingapp",
    "cockpit": "viz.apps.cockpitapp",
}
"""Where each app lives; each is a function of that name."""

__all__ = sorted([*_HOME, "lessons"])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name == "lessons":
        return importlib.import_module("viz.apps.lessons")
    raise AttributeError(f"module 'viz.apps' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
