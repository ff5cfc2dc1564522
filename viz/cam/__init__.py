"""The map engine: what a branch looks at, from gradients of a score."""

from viz.cam.controls import control_maps, random_weights
from viz.cam.engine import branch_maps
from viz.cam.inputs import Taken
from viz.cam.record import FUSED, BranchMaps
from viz.cam.targets import Contrast, Identity, Similarity, Target
from viz.cam.weightings import METHODS, normalised

__all__ = [
    "FUSED",
    "METHODS",
    "BranchMaps",
    "Contrast",
    "Identity",
    "Similarity",
    "Taken",
    "Target",
    "branch_maps",
    "control_maps",
    "normalised",
    "random_weights",
]
