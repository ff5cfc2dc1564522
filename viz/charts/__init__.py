"""Charts: ``ax=None`` in, Axes out; what they show is computed in ``mfa``."""

from viz.charts.ablation import ablation_bars
from viz.charts.breakdown import branch_bars, camera_map, gallery_curve
from viz.charts.pairs import distance_histogram, roc, threshold_table
from viz.charts.retrieval import ap_distribution, cmc
from viz.charts.training import Curves, training_curves

__all__ = [
    "Curves",
    "ablation_bars",
    "ap_distribution",
    "branch_bars",
    "camera_map",
    "cmc",
    "distance_histogram",
    "gallery_curve",
    "roc",
    "threshold_table",
    "training_curves",
]
