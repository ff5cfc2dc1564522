"""ResNet trunks with torchvision's blocks and names, so that its weights load unchanged."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models.cpaa import CPAA
from mfa.models.trunk import Trunk

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

LAYERS = ("layer1", "layer2", "layer3", "layer4")


class ResNet(Trunk):
    """ResNet without its classifier, last stride 1 [paper], CPAA after chosen layers.

    ``stride`` 16 keeps the strides 4, 8, 16, 16 of the paper; 8 stops at 4, 8, 8, 8, for inputs so
    small that the map would have a handful of pixels; 32 is torchvision's 4, 8, 16, 32.

    Raises:
        InputError: ``stride`` is 12, which halving does not reach.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__({}, 0)
        if config.stride not in STRIDES:
            raise InputError(
                "a ResNet halves its maps, so it has no stride 12; that is for the patches of a "
                "vision transformer",
                "set model.stride to 8, 16 or 32",
            )
        block, depths = BLOCKS[config.trunk]
        strides = STRIDES[config.stride]
        width = config.width
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.Identity() if config.authors_code else nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = width
        self.cpaa = nn.ModuleDict()
        for number, (depth, stride) in enumerate(zip(depths, strides, strict=True), start=1):
            planes = width * 2 ** (number - 1)
            setattr(self, f"layer{number}", _layer(block, channels, planes, depth, stride))
            channels = planes * block.expansion
            if number in config.cpaa:
                self.cpaa[f"layer{number}"] = CPAA(channels, affinity=config.cpaa_affinity)
            if config.ibn and number < 4:
                for each in self.layer(number):
                    each.bn1 = IBN(each.conv1.out_channels)  # type: ignore[union-attr,arg-type]
        self.channels = channels
        self.stages = ("stem", *LAYERS)
        self.apply(_initialise)

    def stem(self) -> nn.Sequential:
        """What comes before the first layer."""
        return nn.Sequential(self.conv1, self.bn1, self.relu, self.maxpool)

    def layer(self, number: int) -> nn.Sequential:
        """Layer 1 to 4, without its CPAA."""
        found = self.get_submodule(f"layer{number}")
        assert isinstance(found, nn.Sequential)
        return found

    def run_stage(self, name: str, x: Tensor) -> Tensor:
        """The stem, or a layer with its CPAA where it has one."""
        if name == "stem":
            return self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.get_submodule(name)(x)
        return self.cpaa[name](x) if name in self.cpaa else x


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
    block: Callable[..., nn.Module], channels: int, planes: int, depth: int, stride: int
) -> nn.Sequential:
    out = planes * block.expansion  # type: ignore[attr-defined]
    shortcut = None
    if stride != 1 or channels != out:
        shortcut = nn.Sequential(
            nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out)
        )
    first = block(channels, planes, stride=stride, downsample=shortcut)
    return nn.Sequential(first, *(block(out, planes) for _ in range(depth - 1)))


def _initialise(module: nn.Module) -> None:
    """He et al. (2015), as torchvision does; CPAA keeps its own."""
    if isinstance(module, nn.Conv2d) and module.bias is None:
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
