"""All pairs of a batch: distances, similarities, and which are positives or negatives."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


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


def pair_masks(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Positives (same label, not the picture itself) and negatives, each (B, B) bool."""
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return same & ~itself, ~same


def farthest(distances: Tensor, mask: Tensor) -> Tensor:
    """Greatest masked value of each row; -inf for a row without any."""
    return distances.masked_fill(~mask, -torch.inf).amax(dim=-1)


def nearest(distances: Tensor, mask: Tensor) -> Tensor:
    """Least masked value of each row; inf for a row without any."""
    return distances.masked_fill(~mask, torch.inf).amin(dim=-1)


def mean_over(terms: Tensor, usable: Tensor) -> Tensor:
    """Mean of the usable anchors' terms; zero, still attached to the graph, when there are none.

    Masked, not indexed: indexing by a mask would make a GPU wait for the CPU. Unusable terms may
    be infinite.
    """
    return torch.where(usable, terms, 0.0).sum() / usable.sum().clamp(min=1)
