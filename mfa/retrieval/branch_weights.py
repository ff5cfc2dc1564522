"""Scoring with some of a descriptor's branches, or with branches weighted.

The descriptor is the concatenation of the branches' columns, normalised as a whole; a weight
multiplies its branch's columns before that. So a weight of 1 for every branch is the descriptor as
trained, and a branch left out is as if it had never been concatenated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mfa.errors import InputError
from mfa.records import Features, FeatureSet
from mfa.retrieval.metrics import score
from mfa.retrieval.results import RetrievalResult


def score_branches(
    features: Features, weights: Mapping[str, float], **options: Any
) -> RetrievalResult:
    """Score a subset of the branches, weighted; from cached features, without the network.

    Args:
        features: with named ``branches``.
        weights: branch to weight, 0 or more; branches not named are left out.
        **options: those of ``mfa.retrieval.metrics.score``.
    """
    return score(weighted(features, weights), **options)


def weighted(features: Features, weights: Mapping[str, float]) -> Features:
    """``features`` with each branch's columns multiplied by its weight, others dropped."""
    columns = dict(features.columns())
    used = check_weights(features, weights)

    def combine(side: FeatureSet) -> FeatureSet:
        blocks = [side.features[:, columns[name]] * np.float32(used[name]) for name in used]
        return replace(side, features=np.concatenate(blocks, axis=1))

    widths = dict(features.branches)
    return Features(
        query=combine(features.query),
        gallery=combine(features.gallery),
        branches=tuple((name, widths[name]) for name in used),
        origin={**features.origin, "branch_weights": used},
    )


def check_weights(features: Features, weights: Mapping[str, float]) -> dict[str, float]:
    """The weights above 0, in the descriptor's order."""
    names = [name for name, _ in features.branches]
    if not names:
        raise InputError("these features have no named branches; score them whole")
    for name, weight in weights.items():
        if name not in names:
            raise InputError(f"no branch {name!r}; the descriptor has {', '.join(names)}")
        if not math.isfinite(weight) or weight < 0:
            raise InputError(f"the weight of {name} must be 0 or more, got {weight}")
    used = {name: float(weights[name]) for name in names if weights.get(name, 0) > 0}
    if not used:
        raise InputError(f"every branch has weight 0; give one of {', '.join(names)} more")
    return used
