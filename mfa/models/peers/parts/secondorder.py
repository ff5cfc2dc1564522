"""Second-order non-local attention (Bryan et al., SONA, ICCV 2019)."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn


class SecondOrder(nn.Module):
    """Each pixel plus a mean of all, weighted by the covariance of the two pixels' channels.

    With theta(x) the pixels reduced to C' channels, S_ij is the covariance over channels of pixels
    i and j; weights are the softmax over j of S_ij / sqrt(C') [paper]; the mean of the g(x_j) goes
    through a 1x1 convolution with BN whose scale starts at 0, so a new module is the identity
    [reconstructed].
    """

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        inner = max(channels // reduction, 1)
        self.theta = nn.Sequential(
            nn.Conv2d(channels, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU()
        )
        self.g = nn.Conv2d(channels, inner, 1)
        self.last = nn.Sequential(nn.Conv2d(inner, channels, 1), nn.BatchNorm2d(channels))
        nn.init.zeros_(self.last[1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        with torch.autocast(x.device.type, enabled=False):
            pixels = self.theta(x.float()).flatten(2)  # (B, C', N)
            inner = pixels.shape[1]
            centred = pixels - pixels.mean(dim=1, keepdim=True)
            covariance = centred.transpose(1, 2) @ centred / inner
            weights = (covariance / inner**0.5).softmax(dim=2)
            mixed = self.g(x.float()).flatten(2) @ weights.transpose(1, 2)
        return x + self.last(mixed.to(x.dtype).view(*mixed.shape[:2], *x.shape[2:]))


def behind(layer: nn.Sequential, channels: int) -> nn.Sequential:
    """The layer with the module behind it; its blocks keep their names."""
    parts: OrderedDict[str, nn.Module] = OrderedDict(layer.named_children())
    parts["second_order"] = SecondOrder(channels)
    return nn.Sequential(parts)
