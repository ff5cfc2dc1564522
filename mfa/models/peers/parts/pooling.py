"""Pooling beyond the mean: the maximum, pooling of a stripe, pooling and then layers."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mfa.models.heads import stripe_rows


class MaxPool(nn.Module):
    """Maximum over pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C)."""
        return x.float().amax(dim=(2, 3))


class Projected(nn.Module):
    """Pool, then layers on the vector; the score ledger refuses it unless the layers are affine."""

    def __init__(self, pool: nn.Module, layers: nn.Module) -> None:
        super().__init__()
        self.pool = pool
        self.layers = layers

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, D)."""
        return self.layers(self.pool(x))


def only_stripe(x: Tensor, stripes: int, number: int, *, mean: bool) -> Tensor:
    """The map with everything outside one of ``stripes`` horizontal stripes at 0.

    The map keeps its size, so that what a branch sees can be drawn over the picture. With ``mean``
    the stripe is scaled by h / (its rows), so that the mean over the whole map is the mean over the
    stripe; without, the maximum of a map that is nowhere negative is the stripe's.

    Args:
        x: (B, C, h, w).
        stripes: how many there are.
        number: which one, from 0 at the top; where h is no multiple, neighbours share a row.
        mean: scale for mean pooling.
    """
    height = x.shape[2]
    rows = stripe_rows(height, stripes, number)
    mask = torch.zeros(height, 1, dtype=x.dtype, device=x.device)
    mask[rows] = height / (rows.stop - rows.start) if mean else 1.0
    return x * mask


def rows_between(x: Tensor, top: float, bottom: float) -> Tensor:
    """The map with the rows outside two heights at 0; rows that are cut through stay in.

    Args:
        x: (B, C, h, w).
        top: share of the height, 0 at the top.
        bottom: share of the height.
    """
    height = int(x.shape[2])
    # Rounded, since 5 / 6 * 24 may come to a hair above 20.
    first, last = math.floor(round(top * height, 6)), math.ceil(round(bottom * height, 6))
    mask = torch.zeros(height, 1, dtype=x.dtype, device=x.device)
    mask[first:last] = 1
    return x * mask
