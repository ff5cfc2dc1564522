"""Pseudo-labels of body parts by cascaded clustering of pixels (Zhu et al., ISP, ECCV 2020)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

ROUNDS = 6
"""Of either clustering; pixels rarely change sides later."""

BACKGROUND = 0
"""Label of pixels that belong to no part."""


@torch.no_grad()
def part_labels(trunk: Tensor, labels: Tensor, parts: int) -> Tensor:
    """A label for every pixel: 0 for background, 1 to ``parts`` from head to feet.

    For each identity by itself, all pixels of its pictures together: first the lengths of the
    pixels' vectors fall into two clusters, the shorter being background; then the directions of
    the others fall into ``parts`` clusters, numbered by their mean height in the picture [paper].
    The parts' centers start at the mean directions of as many horizontal stripes of the foreground
    (ours; the paper does not say).

    From the trunk map (B, C, h, w) and identities (B,) to (B, h, w) int64.
    """
    batch, _, height, width = trunk.shape
    pixels = trunk.float().flatten(2).transpose(1, 2)  # (B, N, C)
    rows = torch.arange(height, device=trunk.device).repeat_interleave(width)
    found = torch.zeros(batch, height * width, dtype=torch.int64, device=trunk.device)
    for label in torch.unique(labels):
        mine = labels == label
        vectors = pixels[mine].flatten(0, 1)
        heights = rows.repeat(int(mine.sum()))
        person = longer(vectors.norm(dim=1))
        of_identity = torch.zeros_like(heights)
        of_identity[person] = 1 + ordered_parts(vectors[person], heights[person], parts)
        found[mine] = of_identity.view(-1, height * width)
    return found.view(batch, height, width)


def longer(lengths: Tensor) -> Tensor:
    """Which of (N,) lengths are nearer the upper of two centers."""
    low, high = lengths.min(), lengths.max()
    upper = torch.ones_like(lengths, dtype=torch.bool)
    for _ in range(ROUNDS):
        upper = lengths >= (low + high) / 2
        if bool(upper.all()):
            break
        low, high = lengths[~upper].mean(), lengths[upper].mean()
    return upper


def ordered_parts(vectors: Tensor, heights: Tensor, parts: int) -> Tensor:
    """Clusters 0 to ``parts`` - 1 of (N, C) vectors by direction, the topmost first."""
    unit = F.normalize(vectors, dim=1)
    order = heights.argsort(stable=True)
    stripe = torch.empty_like(order)
    stripe[order] = torch.arange(len(order), device=order.device) * parts // max(len(order), 1)
    members = F.one_hot(stripe, parts).to(unit.dtype)
    for _ in range(ROUNDS):
        centers = F.normalize(members.T @ unit, dim=1)
        cluster = (unit @ centers.T).argmax(dim=1)
        members = F.one_hot(cluster, parts).to(unit.dtype)
    counts = members.sum(dim=0)
    # A cluster that lost all its pixels goes last.
    mean_height = torch.where(
        counts > 0, members.T @ heights.to(unit.dtype) / counts.clamp(min=1), torch.inf
    )
    return mean_height.argsort(stable=True).argsort(stable=True)[cluster]
