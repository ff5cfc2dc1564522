"""Training losses, one idea a file; ``Criterion`` adds them up."""

from __future__ import annotations

from mfa.losses.center import CenterLoss
from mfa.losses.circle import circle
from mfa.losses.criterion import Criterion
from mfa.losses.gla import gla
from mfa.losses.identity import identity_loss
from mfa.losses.multi_similarity import multi_similarity
from mfa.losses.quadruplet import quadruplet
from mfa.losses.triplet import soft_triplet
from mfa.losses.weighted_triplet import weighted_triplet

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
