"""AGW's triplet: every pair counts, the harder the more, and there is no margin to choose."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mfa.losses.pairs import euclidean, mean_over, pair_masks


def weighted_triplet(features: Tensor, labels: Tensor) -> Tensor:
    """Weighted regularization triplet (Ye et al. 2022, AGW), Euclidean.

    For each anchor: log(1 + exp(sum_p w_p d_p - sum_n w_n d_n)), w_p the softmax of the distances
    of its positives and w_n the softmax of minus those of its negatives. Mean over the anchors
    that have both. The anchor is not its own positive; AGW's code counts it as one, at distance 0.

    Args:
        features: (B, C), compared as they are (not normalised).
        labels: (B,) int64.

    Returns:
        A scalar; zero, still attached to the graph, when no anchor has both.
    """
    distances = euclidean(features)
    positive, negative = pair_masks(labels)
    usable = positive.any(dim=1) & negative.any(dim=1)
    far = _softmax(distances, positive)
    near = _softmax(-distances, negative)
    difference = ((far - near) * distances).sum(dim=1)
    return mean_over(functional.softplus(difference), usable)


def _softmax(values: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the masked entries of each row.

    Not by -inf, which makes NaN of a row without any; such a row gets even weights instead, and
    its anchor does not count.
    """
    return torch.softmax(values.masked_fill(~mask, torch.finfo(values.dtype).min), dim=1)
