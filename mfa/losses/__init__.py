"""Training losses; ``Criterion`` adds them up."""

from __future__ import annotations

from mfa.losses.center import CenterLoss
from mfa.losses.criterion import Criterion
from mfa.losses.gla import gla
from mfa.losses.identity import identity_loss
from mfa.losses.pairs import circle, multi_similarity, quadruplet, soft_triplet, weighted_triplet

__all__ = [
    "CenterLoss",
    "Criterion",
    "circle",
    "gla",
    "identity_loss",
    "multi_similarity",
    "quadruplet",
    "soft_triplet",
    "weighted_triplet",
]
