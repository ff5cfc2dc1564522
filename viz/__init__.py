"""Pictures of what ``mfa`` computed.

The verb says what a function returns:

- ``plot_*`` draws one chart and returns its Axes. ``ax=`` chooses the Axes, further keyword
  arguments go to matplotlib.
- ``draw_*`` composes a sheet of several pictures and returns its Figure.
- Nouns, such as ``rank_explorer``, are interactive apps.

Figures and Axes made here show themselves as the last line of a notebook's cell. Names are loaded
on first use, so that ``mfa-viz --help`` needs neither PyTorch nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import Any

from mfa.errors import extra

_HOME = {
    # One chart: Axes.
    "plot_ablation": "viz.charts.ablation",
    "plot_ap_distribution": "viz.charts.retrieval",
    "plot_attention": "viz.charts.attention",
    "plot_attention_regions": "viz.charts.attention",
    "plot_branch_scores": "viz.charts.breakdown",
    "plot_calibration": "viz.charts.pairs",
    "plot_camera_counts": "viz.charts.cameras",
    "plot_camera_pairs": "viz.charts.cameras",
    "plot_cmc": "viz.charts.retrieval",
    "plot_distances": "viz.charts.pairs",
    "plot_embedding": "viz.charts.embedding",
    "plot_faithfulness": "viz.charts.attention",
    "plot_gallery_size": "viz.charts.breakdown",
    "plot_passport_likeness": "viz.charts.passport",
    "plot_passport_order": "viz.charts.passport",
    "plot_probability": "viz.charts.pairs",
    "plot_roc": "viz.charts.pairs",
    # A sheet of several: Figure.
    "draw_branch_shares": "viz.grids.ledger",
    "draw_common_parts": "viz.grids.concepts",
    "draw_correspondence": "viz.grids.correspondence",
    "draw_identities": "viz.grids.dataset_sheets",
    "draw_ledger": "viz.grids.ledger",
    "draw_maps": "viz.grids.maps",
    "draw_matches": "viz.grids.matches",
    "draw_pair": "viz.grids.ledger",
    "draw_pair_maps": "viz.grids.pair_maps",
    "draw_people": "viz.grids.drawn_people",
    "draw_rank_grid": "viz.grids.rank_grid",
    "draw_rank_shares": "viz.grids.ledger",
    "draw_ranking": "viz.grids.rank_grid",
    "draw_roles": "viz.grids.dataset_sheets",
    "draw_samples": "viz.grids.dataset_sheets",
    "draw_threshold": "viz.grids.threshold",
    "draw_training": "viz.charts.training",
    # Curves that grow while a training runs; figures and tables as files.
    "Table": "viz.tables",
    "TrainingCurves": "viz.charts.training",
    "save": "viz.export",
    # Interactive apps.
    "ablation_explorer": "viz.apps.ablation.app",
    "attention_explorer": "viz.apps.attention.app",
    "branch_mixer": "viz.apps.branches",
    "dataset_browser": "viz.apps.dataset",
    "embedding_explorer": "viz.apps.embedding",
    "failure_browser": "viz.apps.failures",
    "occlusion_brush": "viz.apps.occlusion.app",
    "rank_explorer": "viz.apps.ranks.app",
    "threshold_chooser": "viz.apps.threshold.app",
    "training_monitor": "viz.apps.training.app",
}
"""Where each public name lives."""

_MODULES = {
    "apps": "viz.apps",
    "lessons": "viz.apps.lessons",
    "paper": "viz.paper",
    "theme": "viz.theme",
}
"""Submodules reached as attributes."""

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        with extra("apps"):
            return getattr(importlib.import_module(_HOME[name]), name)
    if name in _MODULES:
        with extra("apps"):
            return importlib.import_module(_MODULES[name])
    raise AttributeError(f"module 'viz' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
