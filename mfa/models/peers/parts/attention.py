"""Attention modules of the compared methods.

``PositionAttention`` and ``ChannelAttention`` are ABD-Net's (Fu et al., Dual Attention Network,
CVPR 2019), ``NonLocal`` is AGW's (Wang et al., Non-local Neural Networks, CVPR 2018) and
``SecondOrder`` is SONA's (Bryan et al., ICCV 2019).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

from mfa.models.precision import float32


class PositionAttention(nn.Module):
    """Each pixel plus gamma times a mean of all, weighted by the softmax of q^T k.

    gamma starts at 0, so a new module is the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels // 8, 1)
        self.key = nn.Conv2d(channels, channels // 8, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        q, k, v = (conv(x).flatten(2) for conv in (self.query, self.key, self.value))
        with float32(x):
            weights = (q.float().transpose(1, 2) @ k.float()).softmax(dim=2)
        return self.gamma * (v @ weights.to(v.dtype).transpose(1, 2)).view_as(x) + x


class ChannelAttention(nn.Module):
    """Each channel plus gamma times a mean of all, weighted by unlikeness.

    The softmax is of (row maximum - x x^T), as in the authors' code. gamma starts at 0.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        flat = x.flatten(2)
        with float32(x):
            s = flat.float() @ flat.float().transpose(1, 2)
            weights = (s.amax(dim=2, keepdim=True) - s).softmax(dim=2)
        return self.gamma * (weights.to(flat.dtype) @ flat).view_as(x) + x


class NonLocal(nn.Module):
    """Each pixel plus a mean of all pixels weighted by their product with it.

    z = x + BN(W (theta(x)^T phi(x) / N) g(x)): the dot-product form without softmax, as AGW uses
    it. The BN's scale starts at 0, so a new block is the identity.
    """

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.g = nn.Conv2d(channels, inner, 1)
        self.theta = nn.Conv2d(channels, inner, 1)
        self.phi = nn.Conv2d(channels, inner, 1)
        self.w = nn.Sequential(nn.Conv2d(inner, channels, 1), nn.BatchNorm2d(channels))
        nn.init.zeros_(self.w[1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        g, theta, phi = (conv(x).flatten(2) for conv in (self.g, self.theta, self.phi))
        with float32(x):
            affinity = theta.float().transpose(1, 2) @ phi.float() / g.shape[2]  # (B, N, N)
            mixed = g.float() @ affinity.transpose(1, 2)  # (B, inner, N)
        return x + self.w(mixed.to(x.dtype).view(*mixed.shape[:2], *x.shape[2:]))


class SecondOrder(nn.Module):
    """Each pixel plus a mean of all, weighted by the covariance of the two pixels' channels.

    With theta(x) the pixels reduced to C' channels, S_ij is the covariance over channels of pixels
    i and j; weights are the softmax over j of S_ij / sqrt(C') [paper]; the mean of the g(x_j) goes
    through a 1x1 convolution with BN whose scale starts at 0, so a new module is the identity
    [reconstructed].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.theta = Conv2dNormActivation(channels, inner, 1)
        self.g = nn.Conv2d(channels, inner, 1)
        self.last = nn.Sequential(nn.Conv2d(inner, channels, 1), nn.BatchNorm2d(channels))
        nn.init.zeros_(self.last[1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        with float32(x):
            pixels = self.theta(x.float()).flatten(2)  # (B, C', N)
            inner = pixels.shape[1]
            centred = pixels - pixels.mean(dim=1, keepdim=True)
            covariance = centred.transpose(1, 2) @ centred / inner
            weights = (covariance / inner**0.5).softmax(dim=2)
            mixed = self.g(x.float()).flatten(2) @ weights.transpose(1, 2)
        return x + self.last(mixed.to(x.dtype).view(*mixed.shape[:2], *x.shape[2:]))
