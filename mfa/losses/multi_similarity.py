"""Multi-similarity loss: mine the pairs that overlap, then weigh each against the others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mfa.losses.pairs import cosine, farthest, nearest, pair_masks


def multi_similarity(
    features: Tensor,
    labels: Tensor,
    alpha: float = 2,
    beta: float = 50,
    base: float = 1,
    epsilon: float = 0.1,
) -> Tensor:
    """Multi-similarity loss with its mining (Wang et al. 2019, eq. 11 to 15), cosine.

    Of an anchor's negatives those stay that are more similar than its least similar positive less
    epsilon, and of its positives those less similar than its most similar negative plus epsilon.
    Then log(1 + sum_p exp(-alpha (s_p - base))) / alpha
    + log(1 + sum_n exp(beta (s_n - base))) / beta, mean over the whole batch: an anchor of which
    no pair stays counts as zero.

    Args:
        features: (B, C), normalised here.
        labels: (B,) int64.
        alpha: scale of the positives.
        beta: scale of the negatives.
        base: the similarity around which pairs are weighed; 1 in the article, 0.5 in its code.
        epsilon: width of the overlap that is mined.

    Returns:
        A scalar; zero, still attached to the graph, when no anchor has positives and negatives.
    """
    similarity = cosine(features)
    positive, negative = pair_masks(labels)
    kept_negative = negative & (similarity > nearest(similarity, positive)[:, None] - epsilon)
    kept_positive = positive & (similarity < farthest(similarity, negative)[:, None] + epsilon)
    offset = similarity - base
    pull = torch.logsumexp((-alpha * offset).masked_fill(~kept_positive, -torch.inf), dim=1)
    push = torch.logsumexp((beta * offset).masked_fill(~kept_negative, -torch.inf), dim=1)
    return (functional.softplus(pull) / alpha + functional.softplus(push) / beta).mean()
