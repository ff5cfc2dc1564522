"""Pooling of a map, or of a stripe of it, to a vector."""

from __future__ import annotations

import math
from dataclasses import dataclass

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


def reduction(channels: int, width: int, *, bias: bool = True) -> nn.Sequential:
    """A linear layer on a vector (a 1x1 convolution of a pooled map), BN, ReLU."""
    linear = nn.Linear(channels, width, bias=bias)
    return nn.Sequential(linear, nn.BatchNorm1d(width), nn.ReLU())


@dataclass(frozen=True)
class Stripe:
    """One of ``count`` horizontal stripes of a map, or a run of ``length`` neighbouring ones.

    Attributes:
        count: how many stripes the map has.
        number: the first one, from 0 at the top.
        length: how many there are.
        scaled: ``only`` scales for mean pooling.
    """

    count: int
    number: int
    length: int = 1
    scaled: bool = False

    @property
    def box(self) -> tuple[float, float]:
        """(top, bottom) in shares of the height."""
        return self.number / self.count, (self.number + self.length) / self.count

    def rows(self, height: int) -> slice:
        """Its rows of a map of ``height``; neighbours share a row that falls between."""
        end = self.number + self.length
        return slice(
            math.floor(self.number * height / self.count), math.ceil(end * height / self.count)
        )

    def only(self, x: Tensor) -> Tensor:
        """The map (B, C, h, w) with everything outside the stripe at 0.

        The map keeps its size, so that what a branch sees can be drawn over the picture. If
        ``scaled`` the stripe is multiplied by h / (its rows), so that the mean over the map is the
        stripe's. If not, the maximum of a map that is nowhere negative is the stripe's.
        """
        height = x.shape[2]
        rows = self.rows(height)
        mask = torch.zeros(height, 1, dtype=x.dtype, device=x.device)
        mask[rows] = height / (rows.stop - rows.start) if self.scaled else 1.0
        return x * mask
