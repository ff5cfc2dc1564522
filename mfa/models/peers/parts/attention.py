"""Position and channel attention (Fu et al., Dual Attention Network, CVPR 2019), for ABD-Net."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PositionAttention(nn.Module):
    """Each pixel plus gamma times a mean of all, weighted by the softmax of q^T k.

    gamma starts at 0, so a new module is the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // 8, 1)
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        q, k, v = (conv(x).flatten(2) for conv in (self.query, self.key, self.value))
        with torch.autocast(x.device.type, enabled=False):
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
        with torch.autocast(x.device.type, enabled=False):
            s = flat.float() @ flat.float().transpose(1, 2)
            weights = (s.amax(dim=2, keepdim=True) - s).softmax(dim=2)
        return self.gamma * (weights.to(flat.dtype) @ flat).view_as(x) + x
