"""The map engine: what a branch looks at, from gradients of a score."""

from mfa.explain.engine import branch_maps
from mfa.explain.inputs import ImagesWithCameras
from mfa.explain.record import FUSED, BranchMaps
from mfa.explain.sanity_checks import random_weights, sanity_check_maps
from mfa.explain.targets import Contrast, Identity, Similarity, Target
from mfa.explain.weightings import METHODS, normalised

__all__ = [
    "FUSED",
    "METHODS",
    "BranchMaps",
    "Contrast",
    "Identity",
    "ImagesWithCameras",
    "Similarity",
    "Target",
    "branch_maps",
    "normalised",
    "random_weights",
    "sanity_check_maps",
]
