"""Pictures of what ``mfa`` computed: it reads results and never ranks or normalises them.

Names are loaded on first use, so that ``mfa-viz --help`` needs neither PyTorch nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "explain_pair": "viz.explain",
    "pair_ledger": "viz.ledger",
    "pair_ledgers": "viz.ledger",
    "draw_ledger": "viz.explain",
    "BranchMaps": "viz.cam",
    "branch_maps": "viz.cam",
    "Taken": "viz.cam",
    "draw_maps": "viz.maps",
    "draw_shares": "viz.shares",
    "explain_ranks": "viz.shares",
    "draw_correspondence": "viz.points",
    "correspond": "viz.points",
    "draw_parts": "viz.parts",
    "common_parts": "viz.parts",
    "faithfulness_curves": "viz.charts.attention",
    "attention_points": "viz.charts.attention",
    "attention_regions": "viz.charts.attention",
    "measure_faithfulness": "viz.attention",
    "baseline_pictures": "viz.attention",
    "situations": "viz.attention",
    "measure_attention": "viz.attention",
    "control_maps": "viz.cam",
    "Curves": "viz.charts",
    "ablation_bars": "viz.charts",
    "ap_distribution": "viz.charts",
    "cmc": "viz.charts",
    "training_curves": "viz.charts",
    "branch_bars": "viz.charts",
    "camera_map": "viz.charts",
    "distance_histogram": "viz.charts",
    "gallery_curve": "viz.charts",
    "roc": "viz.charts",
    "threshold_table": "viz.charts",
    "camera_counts": "viz.datasets",
    "identity_sheet": "viz.datasets",
    "sample_sheet": "viz.datasets",
    "role_sheet": "viz.roles",
    "embedding_map": "viz.embedding",
    "embedding_points": "viz.embedding",
    "rank_grid": "viz.grids",
    "rank_strip": "viz.strip",
}
"""Where each public name lives."""

_MODULES = frozenset({"apps", "charts", "figures", "style"})
"""Submodules reached as attributes."""

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"viz.{name}")
    raise AttributeError(f"module 'viz' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
