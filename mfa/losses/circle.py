"""Circle loss: each similarity is pushed by how far it is from where it should be."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mfa.losses.pairs import cosine, mean_over, pair_masks


def circle(features: Tensor, labels: Tensor, margin: float = 0.25, gamma: float = 128) -> Tensor:
    """Circle loss with pair-wise labels (Sun et al. 2020, eq. 4 to 8), cosine.

    For each anchor with positives' cosines s_p and negatives' s_n:
    log(1 + sum_n exp(gamma a_n (s_n - m)) * sum_p exp(-gamma a_p (s_p - (1 - m)))),
    a_p = max(0, 1 + m - s_p), a_n = max(0, s_n + m), both constants for the gradient. Mean over
    the anchors that have both.

    Args:
        features: (B, C), normalised here.
        labels: (B,) int64.
        margin: m, how far from 1 and 0 the similarities may stay.
        gamma: scale; both defaults are usual in re-identification.

    Returns:
        A scalar; zero, still attached to the graph, when no anchor has both.
    """
    similarity = cosine(features)
    positive, negative = pair_masks(labels)
    constant = similarity.detach()
    push = gamma * (constant + margin).clamp(min=0) * (similarity - margin)
    pull = -gamma * (1 + margin - constant).clamp(min=0) * (similarity - (1 - margin))
    both = torch.logsumexp(push.masked_fill(~negative, -torch.inf), dim=1) + torch.logsumexp(
        pull.masked_fill(~positive, -torch.inf), dim=1
    )
    return mean_over(functional.softplus(both), positive.any(dim=1) & negative.any(dim=1))
