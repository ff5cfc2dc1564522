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

    0 where the batch lacks one kind of pair. ``features`` (B, C) need not be normalised.
    """
    distances = 1 - cosine(features)
    positive, negative, _ = pair_masks(labels)
    near, spread_near = _mean_and_variance(distances, positive)
    far, spread_far = _mean_and_variance(distances, negative)
    loss = (MARGIN + near - far).clamp(min=0) + MICRO_WEIGHT * (spread_near + spread_far)
    return torch.where(positive.any() & negative.any(), loss, 0.0)


def _mean_and_variance(values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Of the masked values; masked, not indexed, so that a GPU does not wait for the CPU."""
    count = mask.sum().clamp(min=1)
    mean = (values * mask).sum() / count
    return mean, ((values - mean).square() * mask).sum() / count
