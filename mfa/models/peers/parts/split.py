"""A ResNet cut after the first block of its third layer, as MGN cuts it."""

from __future__ import annotations

import copy

from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from mfa.models.backbones import Trunk
from mfa.models.peers.parts.staged import Staged

SHOWN = ("layer1", "layer2", "layer3a")
"""Stages of ``shared`` whose maps can be explained."""


def shared(trunk: Trunk) -> Staged:
    """The part all branches share."""
    stem = nn.Sequential(trunk.conv1, trunk.bn1, trunk.relu, trunk.maxpool)
    first: BasicBlock | Bottleneck = trunk.layer3[0]  # type: ignore[index]
    stages = {
        "stem": stem,
        "layer1": trunk.layer1,
        "layer2": trunk.layer2,
        "layer3a": first,
    }
    return Staged(stages, trunk.channels // 2)


def deep(trunk: Trunk) -> nn.Sequential:
    """A copy of the rest: what each branch has for itself, starting from equal weights."""
    rest = [*list(trunk.layer3)[1:], trunk.layer4]  # type: ignore[arg-type]
    return copy.deepcopy(nn.Sequential(*rest))
