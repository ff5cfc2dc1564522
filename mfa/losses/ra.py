"""RA loss (Wang et al., RA Loss: Relation-Aware Loss for Robust Person ReID, ACCV 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from mfa.losses.pairs import cosine, pair_masks

MARGIN = 0.3
"""Distance the two centers are to keep [reconstructed; BagTricks' margin]."""

MICRO_WEIGHT = 1.0
"""Of the micro-constraint [reconstructed]."""


def ra_loss(features: Tensor, labels: Tensor) -> Tensor:
    """Relations between pairs, in two constraints.

    The macro-constraint pushes the mean distance of the positive pairs and that of the negative
    pairs apart; the micro-constraint brings the pairs of a kind to like distances. That there are
    these two, over the means of all pairs of a kind in the batch, is [paper] (its abstract; the
    formulas were not at hand). The forms are [reconstructed]: cosine distances d,
    max(0, margin + mean d_p - mean d_n) + variance of the d_p + variance of the d_n.

    Args:
        features: (B, C), not necessarily normalised.
        labels: (B,) int64.

    Returns:
        A scalar; 0 where the batch lacks one kind of pair.
    """
    distances = 1 - cosine(features)
    positive, negative = pair_masks(labels)
    if not bool(positive.any()) or not bool(negative.any()):
        return features.sum() * 0
    alike, unlike = distances[positive], distances[negative]
    macro = (MARGIN + alike.mean() - unlike.mean()).clamp(min=0)
    micro = torch.var(alike, correction=0) + torch.var(unlike, correction=0)
    return macro + MICRO_WEIGHT * micro
