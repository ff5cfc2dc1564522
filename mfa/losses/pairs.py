"""Losses over all pairs of a batch: the same person near, other people far.

Every loss takes features (B, C) and labels (B,) int64, and returns a scalar. It is zero, still
attached to the graph, where no anchor has both a positive and a negative. A positive is another
picture with the anchor's label; a negative is a picture with another label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional


def soft_triplet(features: Tensor, labels: Tensor) -> Tensor:
    """Batch-hard triplet with a soft margin, Euclidean; name [paper], form [reconstructed].

    For each anchor: log(1 + exp(d_ap - d_an)), d_ap the distance of its farthest positive and d_an
    of its nearest negative (Hermans et al. 2017). Mean over the anchors that have both; features
    that are all equal give ln 2. The features are compared as they are, not normalised.
    """
    distances = euclidean(features)
    positive, negative, usable = pair_masks(labels)
    margin = farthest(distances, positive) - nearest(distances, negative)
    return mean_over(functional.softplus(margin), usable)


def weighted_triplet(features: Tensor, labels: Tensor) -> Tensor:
    """Weighted regularization triplet (Ye et al. 2022, AGW), Euclidean.

    For each anchor: log(1 + exp(sum_p w_p d_p - sum_n w_n d_n)), w_p the softmax of the distances
    of its positives and w_n the softmax of minus those of its negatives. Mean over the anchors
    that have both. The anchor is not its own positive; AGW's code counts it as one, at distance 0.
    The features are compared as they are, not normalised.
    """
    distances = euclidean(features)
    positive, negative, usable = pair_masks(labels)
    far = _softmax(distances, positive)
    near = _softmax(-distances, negative)
    difference = ((far - near) * distances).sum(dim=1)
    return mean_over(functional.softplus(difference), usable)


def _softmax(values: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the masked entries of each row; a row without any gets even weights, not NaN."""
    return torch.softmax(values.masked_fill(~mask, torch.finfo(values.dtype).min), dim=1)


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
    """
    squares = euclidean(functional.normalize(features, dim=1)).square()
    positive, negative, usable = pair_masks(labels)
    own = farthest(squares, positive)
    first = functional.relu(own - nearest(squares, negative) + margin)
    second = functional.relu(own - _others(squares, negative) + other_margin)
    return mean_over(first + second, usable)


def _others(squares: Tensor, negative: Tensor) -> Tensor:
    """For each anchor the least distance between two different other people; inf without any."""
    pairs = negative & negative[:, :, None] & negative[:, None, :]  # (anchor, one, another)
    return nearest(squares.expand_as(pairs).flatten(1), pairs.flatten(1))


def circle(features: Tensor, labels: Tensor, margin: float = 0.25, gamma: float = 128) -> Tensor:
    """Circle loss with pair-wise labels (Sun et al. 2020, eq. 4 to 8), cosine.

    For each anchor with positives' cosines s_p and negatives' s_n:
    log(1 + sum_n exp(gamma a_n (s_n - m)) * sum_p exp(-gamma a_p (s_p - (1 - m)))),
    a_p = max(0, 1 + m - s_p), a_n = max(0, s_n + m), both constants for the gradient. Mean over
    the anchors that have both. Margin m and gamma are those usual in re-identification.
    """
    similarity = cosine(features)
    positive, negative, usable = pair_masks(labels)
    constant = similarity.detach()
    push = gamma * (constant + margin).clamp(min=0) * (similarity - margin)
    pull = -gamma * (1 + margin - constant).clamp(min=0) * (similarity - (1 - margin))
    return mean_over(
        functional.softplus(_log_sum(push, negative) + _log_sum(pull, positive)), usable
    )


def _log_sum(values: Tensor, mask: Tensor) -> Tensor:
    """Logarithm of the sum of exponentials of each row's masked values."""
    return torch.logsumexp(values.masked_fill(~mask, -torch.inf), dim=1)


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
    The base is 1 in the article and 0.5 in its code.
    """
    similarity = cosine(features)
    positive, negative, _ = pair_masks(labels)
    kept_negative = negative & (similarity > nearest(similarity, positive)[:, None] - epsilon)
    kept_positive = positive & (similarity < farthest(similarity, negative)[:, None] + epsilon)
    offset = similarity - base
    pull = _log_sum(-alpha * offset, kept_positive)
    push = _log_sum(beta * offset, kept_negative)
    return (functional.softplus(pull) / alpha + functional.softplus(push) / beta).mean()


PAIR_LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "hard": soft_triplet,
    "weighted": weighted_triplet,
    "quadruplet": quadruplet,
    "circle": circle,
    "multi_similarity": multi_similarity,
}
"""The values of ``LossConfig.triplet``."""


def euclidean(features: Tensor) -> Tensor:
    """Distances between all rows of ``features`` (B, C), as (B, B).

    Computed from differences, not from products: the product form loses the small distances of
    large vectors, which are the ones a late triplet term works on. The gradient at distance zero
    is zero.
    """
    return torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist")


def cosine(features: Tensor) -> Tensor:
    """Cosines between all rows of ``features`` (B, C), as (B, B)."""
    unit = functional.normalize(features, dim=1)
    return unit @ unit.T


def pair_masks(labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Positives (same label, not the picture itself), negatives, and which anchors have both.

    The first two are (B, B) bool, the third is (B,).
    """
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    positive, negative = same & ~itself, ~same
    return positive, negative, positive.any(dim=1) & negative.any(dim=1)


def farthest(distances: Tensor, mask: Tensor) -> Tensor:
    """Greatest masked value of each row; -inf for a row without any."""
    return distances.masked_fill(~mask, -torch.inf).amax(dim=-1)


def nearest(distances: Tensor, mask: Tensor) -> Tensor:
    """Least masked value of each row; inf for a row without any."""
    return distances.masked_fill(~mask, torch.inf).amin(dim=-1)


def mean_over(terms: Tensor, usable: Tensor) -> Tensor:
    """Mean of the usable anchors' terms; zero, still attached to the graph, when there are none.

    Unusable terms may be infinite. Masked, not indexed, so that a GPU does not wait for the CPU.
    """
    return torch.where(usable, terms, 0.0).sum() / usable.sum().clamp(min=1)
