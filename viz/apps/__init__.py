"""The interactive workbench: one call per app, in a notebook or as a web page.

Apps are loaded on first use: ``viz.rank_explorer(run)`` brings ipywidgets and PyTorch,
``import viz`` does not.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from mfa.errors import extra

APPS: Mapping[str, tuple[str, str]] = {
    "ranks": ("viz.apps.ranks.app", "rank_explorer"),
    "attention": ("viz.apps.attention.app", "attention_explorer"),
    "branches": ("viz.apps.branches", "branch_mixer"),
    "occlusion": ("viz.apps.occlusion.app", "occlusion_brush"),
    "ablation": ("viz.apps.ablation.app", "ablation_explorer"),
    "failures": ("viz.apps.failures", "failure_browser"),
    "dataset": ("viz.apps.dataset", "dataset_browser"),
    "threshold": ("viz.apps.threshold.app", "threshold_chooser"),
    "embedding": ("viz.apps.embedding", "embedding_explorer"),
    "training": ("viz.apps.training.app", "training_monitor"),
}
"""Name on the web page: (module, function that opens the app)."""


def opener(name: str) -> Callable[..., Any]:
    """The function that opens the app called ``name`` on the web page."""
    module, function = APPS[name]
    with extra("apps"):
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found
