"""Pictures of what ``mfa`` computed: it reads results and never ranks or normalises them.

Names are loaded on first use, so that ``mfa-viz --help`` needs neither PyTorch nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "explain_pair": "viz.grids.ledger",
    "pair_ledger": "mfa.explain.ledger",
    "pair_ledgers": "mfa.explain.ledger",
    "draw_ledger": "viz.grids.ledger",
    "BranchMaps": "mfa.explain",
    "branch_maps": "mfa.explain",
    "ImagesWithCameras": "mfa.explain",
    "draw_maps": "viz.grids.maps",
    "draw_shares": "viz.grids.branch_shares",
    "explain_ranks": "viz.grids.branch_shares",
    "draw_correspondence": "viz.grids.correspondence",
    "correspond": "viz.grids.correspondence",
    "draw_parts": "viz.grids.concepts",
    "common_parts": "viz.grids.concepts",
    "faithfulness_curves": "viz.charts.attention",
    "attention_points": "viz.charts.attention",
    "attention_regions": "viz.charts.attention",
    "measure_faithfulness": "mfa.explain.measure",
    "baseline_pictures": "mfa.explain.measure",
    "situations": "mfa.explain.measure",
    "measure_attention": "mfa.explain.measure",
    "control_maps": "mfa.explain",
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
    "camera_counts": "viz.grids.dataset_sheets",
    "identity_sheet": "viz.grids.dataset_sheets",
    "sample_sheet": "viz.grids.dataset_sheets",
    "role_sheet": "viz.grids.role_sheet",
    "embedding_map": "viz.charts.embedding",
    "embedding_points": "viz.charts.embedding",
    "rank_grid": "viz.grids.rank_grid",
    "rank_strip": "viz.grids.rank_strip",
    "ablation_explorer": "viz.apps.ablation.app",
    "attention_explorer": "viz.apps.attention.app",
    "branch_mixer": "viz.apps.branches",
    "dataset_browser": "viz.apps.dataset",
    "embedding_explorer": "viz.apps.embedding",
    "failure_browser": "viz.apps.failures",
    "occlusion_brush": "viz.apps.occlusion.app",
    "rank_explorer": "viz.apps.ranks.app",
    "training_monitor": "viz.apps.training.app",
}
"""Where each public name lives."""

_MODULES = {
    "apps": "viz.apps",
    "charts": "viz.charts",
    "export": "viz.export",
    "lessons": "viz.apps.lessons",
    "paper": "viz.paper",
    "theme": "viz.theme",
}
"""Submodules reached as attributes."""

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    raise AttributeError(f"module 'viz' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
