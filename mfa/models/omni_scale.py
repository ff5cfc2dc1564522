"""OSNet as a trunk, in the form of the Open Model Zoo's ``person-reidentification-retail-0277``.

Zhou et al., Omni-Scale Feature Learning for Person Re-Identification, ICCV 2019, at width x1.0,
with two changes that the public model's graph shows: the picture and the first convolution are
normalised per picture, and every second block weighs its streams by a linear context transform
(Ruan et al. 2020) instead of a squeeze-and-excitation gate.

The public model's batch normalisations are folded into its convolutions, so this trunk has none:
its convolutions carry biases, and it computes the same in training and in evaluation.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.models.trunk import StagedTrunk, initialise

STEM = 64
WIDTHS = (256, 384, 512, 512)
"""Channels after ``layer1`` to ``layer4``."""

REDUCTION = 4
"""Channels of a block per channel of its streams."""

GATE = 16
"""Channels of a stream per inner channel of its gate, and groups of the context transform."""


class OmniScaleTrunk(StagedTrunk):
    """OSNet x1.0 without batch normalisation; 1.9 million parameters without CPAA.

    ``layer1`` to ``layer3`` are the paper's conv2 to conv4 and ``layer4`` is its conv5. A stage
    that halves the map begins with the 1x1 convolution and the average pooling which the paper
    counts to the stage before.
    """

    def __init__(self, config: ModelConfig) -> None:
        first, second, third, fourth = WIDTHS
        stem = nn.Sequential(
            nn.InstanceNorm2d(3, affine=True),
            nn.Conv2d(3, STEM, 7, stride=2, padding=3, bias=False),
            nn.InstanceNorm2d(STEM, affine=True),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        halve = config.stride == 16
        layers = (
            nn.Sequential(*_blocks(STEM, first)),
            nn.Sequential(*_transition(first, halve=True), *_blocks(first, second)),
            nn.Sequential(*_transition(second, halve=halve), *_blocks(second, third)),
            nn.Sequential(*_transition(third, halve=False), ChannelContrast()),
        )
        super().__init__(config, stem, layers, (first, second, third, fourth))
        initialise(stem, *layers)
        for name, value in nn.Sequential(stem, *layers).named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(value)


class ChannelContrast(nn.Module):
    """ReLU of the map minus twice each pixel's mean over the channels (ours).

    The public model's map has two pixels, its upper corners, whose 512 channels are all strong,
    with a thousand times the energy of the others. Its own pooling knows them by their place and
    weighs them down; GeM would see nothing else. A pixel that excites all channels alike says
    nothing of a person, and becomes 0. Of the other pixels, two thirds of the energy remain.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w), not negative, to the same shape."""
        return torch.relu(x - 2 * x.mean(dim=1, keepdim=True))


def light_convolution(channels: int) -> nn.Sequential:
    """1x1 convolution, then a depthwise 3x3 convolution, then ReLU [OSNet]."""
    point = nn.Conv2d(channels, channels, 1, bias=False)
    depth = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
    return nn.Sequential(OrderedDict(point=point, depth=depth, relu=nn.ReLU()))


class ChannelGate(nn.Sequential):
    """Multiply each channel by a number in (0, 1) that the layers see in the means of all."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        seen = x.mean(dim=(2, 3), keepdim=True)
        for layer in self:
            seen = layer(seen)
        return x * torch.sigmoid(seen)


def channel_gate(channels: int) -> ChannelGate:
    """A gate of two 1x1 convolutions [OSNet]."""
    inner = max(channels // GATE, 1)
    fc1, fc2 = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)
    return ChannelGate(OrderedDict(fc1=fc1, relu=nn.ReLU(), fc2=fc2))


def context_gate(channels: int) -> ChannelGate:
    """A gate by linear context transform: means normalised in groups, scaled and shifted."""
    return ChannelGate(OrderedDict(norm=nn.GroupNorm(GATE, channels)))


class OmniScaleBlock(nn.Module):
    """Four streams of one to four light convolutions, gated and added to the input [OSNet].

    The streams share one gate.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        inner = out // REDUCTION
        self.reduce = nn.Conv2d(channels, inner, 1)
        self.streams = nn.ModuleList(
            nn.Sequential(*(light_convolution(inner) for _ in range(depth)))
            for depth in (1, 2, 3, 4)
        )
        self.gate = channel_gate(inner) if channels != out else context_gate(inner)
        self.expand = nn.Conv2d(inner, out, 1)
        self.shortcut = nn.Conv2d(channels, out, 1) if channels != out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C', h, w)."""
        start = torch.relu(self.reduce(x))
        mixed = sum(self.gate(stream(start)) for stream in self.streams)
        return torch.relu(self.expand(mixed) + self.shortcut(x))


def _blocks(channels: int, out: int) -> tuple[nn.Module, nn.Module]:
    return OmniScaleBlock(channels, out), OmniScaleBlock(out, out)


def _transition(channels: int, *, halve: bool) -> list[nn.Module]:
    """1x1 convolution and ReLU, then average pooling that halves the map where asked."""
    layers: list[nn.Module] = [nn.Conv2d(channels, channels, 1), nn.ReLU()]
    return [*layers, nn.AvgPool2d(2, stride=2)] if halve else layers
