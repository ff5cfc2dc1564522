"""ResNet trunks with torchvision's blocks and names, so that its weights load unchanged."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from mfa.config import ModelConfig
from mfa.models.cpaa import CPAA
from mfa.models.trunk import LAYERS, Trunk, initialise

BLOCKS: dict[str, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    "resnet10": (BasicBlock, (1, 1, 1, 1)),
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
}
"""Kind of block, and blocks per layer; resnet10 is not torchvision's, the others are."""

RESNETS = tuple(BLOCKS)
"""Names of the ResNets, as ``ModelConfig.trunk`` takes them."""

STRIDES = {8: (1, 2, 1, 1), 16: (1, 2, 2, 1), 32: (1, 2, 2, 2)}
"""Stride of each layer behind the stem, which halves twice, by the stride of the whole trunk."""


class ResNet(Trunk):
    """ResNet without its classifier, last stride 1 [paper], CPAA after chosen layers.

    ``stride`` 16 keeps the strides 4, 8, 16, 16 of the paper; 8 stops at 4, 8, 8, 8, for inputs so
    small that the map would have a handful of pixels; 32 is torchvision's 4, 8, 16, 32.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__({}, 0)
        block, depths = BLOCKS[config.trunk]
        width = config.width
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.Identity() if config.authors_code else nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = width
        self.cpaa = nn.ModuleDict()
        for number, stride in enumerate(STRIDES[config.stride], start=1):
            planes, name = width * 2 ** (number - 1), f"layer{number}"
            layer = _layer(block, channels, planes, depths[number - 1], stride)
            self.add_module(name, layer)
            channels = planes * block.expansion
            if number in config.cpaa:
                self.cpaa[name] = CPAA(channels, affinity=config.cpaa_affinity)
            if config.ibn and number < 4:
                for each in layer:
                    each.bn1 = IBN(each.conv1.out_channels)  # type: ignore[union-attr,arg-type]
        self.channels = channels
        self.stages = ("stem", *LAYERS)
        initialise(self.conv1, *(self.get_submodule(name) for name in LAYERS))

    def stem(self) -> nn.Sequential:
        """What comes before the first layer."""
        return nn.Sequential(self.conv1, self.bn1, self.relu, self.maxpool)

    def layer(self, number: int) -> nn.Sequential:
        """Layer 1 to 4, without its CPAA."""
        found = self.get_submodule(f"layer{number}")
        assert isinstance(found, nn.Sequential)
        return found

    def run_stage(self, name: str, x: Tensor) -> Tensor:
        """Run the stem or a layer, without its CPAA."""
        if name == "stem":
            return self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return super().run_stage(name, x)


class IBN(nn.Module):
    """Instance normalisation of the first half of the channels, batch normalisation of the rest.

    Pan et al., Two at Once, ECCV 2018 (IBN-a). The first half loses what the light and the colours
    of a single picture do to it; the second half keeps that.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = channels // 2
        self.IN = nn.InstanceNorm2d(self.first, affine=True)
        self.BN = nn.BatchNorm2d(channels - self.first)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        return torch.cat([self.IN(x[:, : self.first]), self.BN(x[:, self.first :])], dim=1)


def _layer(
    block: type[BasicBlock] | type[Bottleneck], channels: int, planes: int, depth: int, stride: int
) -> nn.Sequential:
    out = planes * block.expansion
    shortcut = None
    if stride != 1 or channels != out:
        convolution = nn.Conv2d(channels, out, 1, stride=stride, bias=False)
        shortcut = nn.Sequential(convolution, nn.BatchNorm2d(out))
    first = block(channels, planes, stride=stride, downsample=shortcut)
    return nn.Sequential(first, *(block(out, planes) for _ in range(depth - 1)))
