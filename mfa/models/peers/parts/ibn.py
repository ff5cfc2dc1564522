"""IBN-a (Pan et al., Two at Once, ECCV 2018): half of a block's channels normalised by picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mfa.models.backbones import ResNet


class IBN(nn.Module):
    """Instance normalisation of the first half of the channels, batch normalisation of the rest.

    What a single picture's light and colours do to the first half is taken off there; the second
    half keeps it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = channels // 2
        self.IN = nn.InstanceNorm2d(self.first, affine=True)
        self.BN = nn.BatchNorm2d(channels - self.first)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        return torch.cat([self.IN(x[:, : self.first]), self.BN(x[:, self.first :])], dim=1)


def use_ibn(trunk: ResNet) -> None:
    """Put IBN in place of the first normalisation of every block of layers 1 to 3 (IBN-a)."""
    for name in ("layer1", "layer2", "layer3"):
        for block in getattr(trunk, name):
            block.bn1 = IBN(block.bn1.num_features)
