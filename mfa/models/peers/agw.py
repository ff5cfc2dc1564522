"""AGW (Ye et al., Deep Learning for Person Re-identification: A Survey and Outlook, TPAMI 2021).

From the paper: BagTricks with non-local attention, generalised-mean pooling and the weighted
regularisation triplet (``weighted_triplet``). From the authors' code, not the paper:
two non-local blocks end layer 2 and three end layer 3; their inner width is 1, because the code
divides the reduction ratio by itself, so they add 28,687 parameters and not the 7.4 million that a
width of C/2 would. The size of 23.5 million that is quoted holds only so.
The authors' code has no ReLU behind the first normalisation; ``model.authors_code`` leaves it out.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from mfa.config import ModelConfig
from mfa.models.backbones import ResNet
from mfa.models.peers.parts.attention import NonLocal
from mfa.models.peers.parts.peer import RESNET, Peer, PeerNetwork, global_head, resnet

BLOCKS = {2: 2, 3: 3}
"""Non-local blocks at the end of a layer, at most one behind each block of it."""

INNER = 1
"""Channels inside a non-local block, as the authors' code has it."""


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk with non-local blocks, and one head."""
    trunk = resnet(config)
    add_blocks(trunk)
    return PeerNetwork(trunk, global_head(trunk, config, identities))


def add_blocks(trunk: ResNet) -> None:
    """Put the non-local blocks into the trunk, whose own blocks keep their names."""
    for number, count in BLOCKS.items():
        layer, channels = trunk.layer(number), trunk.channels // 2 ** (4 - number)
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        for i, block in enumerate(layer):
            parts[str(i)] = block
            if i >= len(layer) - count:
                parts[f"non_local{i}"] = NonLocal(channels, INNER)
        setattr(trunk, f"layer{number}", nn.Sequential(parts))


PEER = Peer(
    make,
    paper="Ye et al., TPAMI 2021, arXiv 2001.04193",
    reads=RESNET | {"pooling", "authors_code"},
    recipe={"model.pooling": "gem", "loss.triplet": "weighted"},
    parameters_m=23.5,
    source="the paper states none; quoted for the authors' network",
    counted="without the classifier, as ours",
)
