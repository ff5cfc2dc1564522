"""Quadruplet loss: a person's own distances are smaller than those between any two others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mfa.losses.pairs import euclidean, farthest, mean_over, nearest, pair_masks


def quadruplet(
    features: Tensor, labels: Tensor, margin: float = 0.3, other_margin: float = 0.15
) -> Tensor:
    """Quadruplet loss (Chen et al. 2017, eq. 5) in batch-hard form (ours).

    For each anchor: max(0, d_ap^2 - d_an^2 + margin) + max(0, d_ap^2 - d_kl^2 + other_margin), d_ap
    the farthest positive, d_an the nearest negative, d_kl the nearest two pictures of two different
    people who are both somebody else. Mean over the anchors that have a positive and a negative;
    with two people in the batch there is no d_kl and the second part is zero.

    The article learns the metric and adapts the margins, the second half the first; here the
    distance is Euclidean between normalised features and the margins are constants (ours), because
    adapted margins are zero, and the loss with them, once all features are equal.

    Args:
        features: (B, C), normalised here.
        labels: (B,) int64.
        margin: between a positive and the anchor's own negatives.
        other_margin: between a positive and pairs of others.

    Returns:
        A scalar; zero, still attached to the graph, when no anchor has a positive and a negative.
    """
    squares = euclidean(functional.normalize(features, dim=1)).square()
    positive, negative = pair_masks(labels)
    usable = positive.any(dim=1) & negative.any(dim=1)
    own = farthest(squares, positive)
    first = functional.relu(own - nearest(squares, negative) + margin)
    second = functional.relu(own - _others(squares, labels, negative) + other_margin)
    return mean_over(first + second, usable)


def _others(squares: Tensor, labels: Tensor, negative: Tensor) -> Tensor:
    """For each anchor the least distance between two different other people; inf without any."""
    people, person = torch.unique(labels, return_inverse=True)
    somebody_else = labels[None, :] != people[:, None]
    pairs = negative & somebody_else[:, :, None] & somebody_else[:, None, :]
    return nearest(squares.expand_as(pairs).flatten(1), pairs.flatten(1))[person]
