"""Non-local blocks (Wang et al., Non-local Neural Networks, CVPR 2018)."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn


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
        with torch.autocast(x.device.type, enabled=False):
            affinity = theta.float().transpose(1, 2) @ phi.float() / g.shape[2]  # (B, N, N)
            mixed = g.float() @ affinity.transpose(1, 2)  # (B, inner, N)
        return x + self.w(mixed.to(x.dtype).view(*mixed.shape[:2], *x.shape[2:]))


def add_non_local(layer: nn.Sequential, count: int, channels: int, inner: int) -> nn.Sequential:
    """The layer with a block behind each of its last ``count`` blocks.

    Its own blocks keep their names, so that weights of the plain layer load unchanged.
    """
    blocks = list(layer.named_children())
    first = max(len(blocks) - count, 0)
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (name, block) in enumerate(blocks):
        parts[name] = block
        if i >= first:
            parts[f"non_local{name}"] = NonLocal(channels, inner)
    return nn.Sequential(parts)
