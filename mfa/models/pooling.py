"""Pooling of a map to a vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GeM(nn.Module):
    """Generalised mean over pixels, (mean x^p)^(1/p) (Radenovic et al. 2019) [paper].

    One learned p, starting at 3; p = 1 is the mean, p to infinity the maximum. Inputs are clamped
    at ``eps`` because a power of a negative number is undefined. Computed in float32.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(float(p)))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C)."""
        with torch.autocast(x.device.type, enabled=False):
            powers = x.float().clamp(min=self.eps).pow(self.p)
            return powers.mean(dim=(2, 3)).pow(1 / self.p)


class GAP(nn.Module):
    """Mean over pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C)."""
        return x.float().mean(dim=(2, 3))


def make_pooling(name: str) -> GeM | GAP:
    """``gem`` or ``gap``."""
    return GeM() if name == "gem" else GAP()
