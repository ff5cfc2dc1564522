"""The triplet term: same person near, other people far."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from mfa.losses.pairs import euclidean, farthest, mean_over, nearest, pair_masks


def soft_triplet(features: Tensor, labels: Tensor) -> Tensor:
    """Batch-hard triplet with a soft margin, Euclidean; name [paper], form [reconstructed].

    For each anchor: log(1 + exp(d_ap - d_an)), d_ap the distance of its farthest positive and d_an
    of its nearest negative (Hermans et al. 2017). Mean over the anchors that have both; features
    that are all equal give ln 2.

    Args:
        features: (B, C), compared as they are (not normalised).
        labels: (B,) int64.

    Returns:
        A scalar; zero, still attached to the graph, when no anchor has both.
    """
    distances = euclidean(features)
    positive, negative = pair_masks(labels)
    usable = positive.any(dim=1) & negative.any(dim=1)
    margin = farthest(distances, positive) - nearest(distances, negative)
    return mean_over(functional.softplus(margin), usable)
