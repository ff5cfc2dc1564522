"""Pooling of a map, or of a stripe of it, to a vector."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mfa.models.precision import float32


class GeM(nn.Module):
    """Generalised mean over pixels, (mean x^p)^(1/p) (Radenovic et al. 2019), p learned [paper].

    p starts at 3 [reconstructed]; p = 1 is the mean, p to infinity the maximum. Inputs are clamped
    at ``eps`` because a power of a negative number is undefined. Computed in float32.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(float(p)))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C)."""
        with float32(x):
            powers = x.float().clamp(min=self.eps).pow(self.p)
            return powers.mean(dim=(2, 3)).pow(1 / self.p)


class GAP(nn.Module):
    """Mean over pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C)."""
        return x.float().mean(dim=(2, 3))


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


def make_pooling(name: str) -> GeM | GAP:
    """``gem`` or ``gap``."""
    return GeM() if name == "gem" else GAP()


def stripe_rows(height: int, stripes: int, number: int) -> slice:
    """Rows of stripe ``number`` (from 0) of a map; neighbours share a row that falls between."""
    return slice(math.floor(number * height / stripes), math.ceil((number + 1) * height / stripes))


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
