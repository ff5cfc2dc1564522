"""CPAA: Channel Point Affinity Attention."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.models.precision import float32


class CPAA(nn.Module):
    """Channel affinity, then pixel affinity, each added to its input with a scalar from 0.

    A channel-wise self-attention makes the map B; B is passed through three of something, and a
    pixel-wise self-attention follows [paper]. The rest is [reconstructed]:

    - S = x x^T / N over the N pixels; A = row softmax of (row maximum - S), or of S with
      ``affinity="plain"``; B = alpha * (A x) + x.
    - q, k = 1x1 convolutions of B to C/8, v = 1x1 in 8 groups; P = row softmax of q^T k;
      E = beta * (v P^T) + B.

    Both scalars start at 0, so a new CPAA is the identity. S and both softmaxes are float32
    whatever the autocast type: S sums over C or N products and overflows half precision.
    """

    def __init__(
        self, channels: int, *, affinity: Literal["inverted", "plain"] = "inverted"
    ) -> None:
        super().__init__()
        self.affinity = affinity
        self.query = nn.Conv2d(channels, channels // 8, 1)
        self.key = nn.Conv2d(channels, channels // 8, 1)
        self.value = nn.Conv2d(channels, channels, 1, groups=8)
        self.alpha = nn.Parameter(torch.zeros(()))
        self.beta = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        b = self.alpha * self.mix_channels(x) + x
        return self.beta * self.mix_points(b) + b

    def mix_channels(self, x: Tensor) -> Tensor:
        """Each channel as a mean of all, weighted by (un)likeness: A x.

        Without gradients one fused operation does it, which never holds the (B, C, C) weights.
        Training keeps the plain products, so that trainings repeat to the last bit.
        """
        # softmax(row maximum - S) is softmax(-S): what a row has in common cancels.
        sign = -1 if self.affinity == "inverted" else 1
        if not (torch.is_grad_enabled() and x.requires_grad):
            return _mix_channels_fused(x, sign)
        points = _points(x)
        with float32(x):
            wide = points.float()
            s = (wide * (sign / wide.shape[1])).transpose(1, 2) @ wide  # (B, C, C)
            a = s.softmax(dim=2)
        return _as_map(points @ a.to(points.dtype).transpose(1, 2), x)

    def mix_points(self, b: Tensor) -> Tensor:
        """Each pixel as a mean of all, weighted by affinity: v P^T."""
        q, k, v = (_points(conv(b)) for conv in (self.query, self.key, self.value))
        with float32(b):
            p = (q.float() @ k.float().transpose(1, 2)).softmax(dim=2)  # (B, N, N)
        return _as_map(p.to(v.dtype) @ v, b)


def _mix_channels_fused(x: Tensor, sign: int) -> Tensor:
    """A x as attention in which each channel is a token and its N pixels are the features."""
    with torch.autocast(x.device.type, enabled=False):
        # Channels must lie one after the other in memory: only then is there a fused kernel.
        channels = x.flatten(2).float().contiguous()[:, None]
        asking = channels * (sign / channels.shape[3])
        mixed = F.scaled_dot_product_attention(asking, channels, channels, scale=1.0)
    return mixed.reshape(x.shape).to(x.dtype, memory_format=torch.channels_last)


def _points(x: Tensor) -> Tensor:
    """(B, C, h, w) as one row per pixel, (B, N, C); in channels-last memory without a copy."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def _as_map(points: Tensor, like: Tensor) -> Tensor:
    """(B, N, C) as a map with the height and width of ``like``."""
    batch, _, height, width = like.shape
    return points.reshape(batch, height, width, -1).permute(0, 3, 1, 2)
