"""MGN (Wang et al., Learning Discriminative Features with Multiple Granularities, MM 2018).

From the paper: ResNet-50 shared up to the first block of layer 3, then three branches with the rest
for themselves: one global (layer 4 keeps its stride), one cut into 2 stripes, one into 3; global
maximum pooling; 1x1 convolution to 256 with BN and ReLU for each of the 8 vectors, whose
concatenation is the descriptor; identity loss on the vectors of the whole maps before that
convolution and on the stripes' after it; triplet on the whole maps' after it; 384x128.

Simplified: the triplet acts on the stripes as well, the losses are averaged over the 8 vectors
where the paper adds them, and the triplet has a soft margin in place of 1.2.
"""

from __future__ import annotations

import copy

from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.models.backbones import ResNet
from mfa.models.heads import Head
from mfa.models.peers.parts.peer import Peer, PeerNetwork, resnet
from mfa.models.pooling import MaxPool, Projected, only_stripe
from mfa.models.trunk import Trunk
from mfa.records import Branch

REDUCED = 256

SHOWN = ("layer1", "layer2", "layer3a")
"""Stages of ``shared`` whose maps can be explained."""


class Whole(Head):
    """A whole map; the classifier sees the vector before its reduction."""

    def __init__(self, channels: int, identities: int, stem: nn.Module) -> None:
        super().__init__(REDUCED, reduction(channels), 0, neck=nn.Identity(), stem=stem)
        if identities:
            self.classifier = nn.Linear(channels, identities)

    def read(self, branch_map: Tensor, guide: Tensor | None = None) -> Branch:
        """Pool once; reduce for the descriptor, classify unreduced."""
        assert isinstance(self.pool, Projected)
        whole = self.pool.pool(branch_map)
        reduced = self.pool.layers(whole)
        logits = None if self.classifier is None else self.classifier(whole)
        return Branch(branch_map, reduced, reduced, logits, guide)


class Stripe(Head):
    """One of several stripes of a branch's map."""

    def __init__(
        self, channels: int, identities: int, stem: nn.Module, stripes: int, number: int
    ) -> None:
        neck = nn.Identity()
        super().__init__(REDUCED, reduction(channels), identities, neck=neck, bias=True, stem=stem)
        self.stripes, self.number = stripes, number

    def cut(self, x: Tensor) -> Tensor:
        """The branch's map with the other stripes at 0; after a ReLU their maximum is no higher."""
        return only_stripe(x, self.stripes, self.number, mean=False)


def reduction(channels: int) -> Projected:
    """Maximum over pixels, then 1x1 convolution (a linear layer on the vector), BN, ReLU."""
    layers = nn.Sequential(
        nn.Linear(channels, REDUCED, bias=False), nn.BatchNorm1d(REDUCED), nn.ReLU()
    )
    nn.init.kaiming_normal_(layers[0].weight, mode="fan_in")  # type: ignore[arg-type]
    return Projected(MaxPool(), layers)


def make(config: ModelConfig, identities: int, *, pretrained: bool) -> PeerNetwork:
    """Shared trunk, three stems, eight heads."""
    trunk = resnet(config, pretrained=pretrained)
    strided = deep(trunk)
    keep_stride(strided)
    stems = {
        "whole": Enlarged(strided),
        "halves": deep(trunk),
        "thirds": deep(trunk),
    }
    c = trunk.channels
    heads: dict[str, Head] = {"global": Whole(c, identities, stems["whole"])}
    stripes: dict[str, tuple[float, float]] = {}
    for name, count in (("halves", 2), ("thirds", 3)):
        heads[f"{name}_whole"] = Whole(c, identities, stems[name])
        for i in range(count):
            heads[f"{name}{i + 1}"] = Stripe(c, identities, stems[name], count, i)
            stripes[f"{name}{i + 1}"] = (i / count, (i + 1) / count)
    return PeerNetwork(shared(trunk), heads, layers=SHOWN, stripes=stripes, stems=stems)


def shared(trunk: ResNet) -> Trunk:
    """The part that all branches share: a ResNet up to the first block of its third layer."""
    stages = {
        "stem": trunk.stem(),
        "layer1": trunk.layer(1),
        "layer2": trunk.layer(2),
        "layer3a": trunk.layer(3)[0],
    }
    return Trunk(stages, trunk.channels // 2)


def deep(trunk: ResNet) -> nn.Sequential:
    """A copy of the rest: what each branch has for itself, starting from equal weights."""
    return copy.deepcopy(nn.Sequential(*list(trunk.layer(3))[1:], trunk.layer(4)))


class Enlarged(nn.Module):
    """A map brought back to the size of its input by repeating pixels.

    The maximum stays what it was, and the global branch's map lies over the others'.
    """

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C', h, w)."""
        return nn.functional.interpolate(self.layers(x), size=x.shape[2:], mode="nearest")


def keep_stride(stem: nn.Sequential) -> None:
    """Let layer 4 of a copy halve the map, as the global branch of the paper does."""
    block = stem[-1][0]  # type: ignore[index]
    # Bottleneck strides in its middle convolution, BasicBlock in its first.
    conv = block.conv2 if hasattr(block, "conv3") else block.conv1
    conv.stride = (2, 2)
    if block.downsample is not None:
        block.downsample[0].stride = (2, 2)


PEER = Peer(
    make,
    paper="Wang et al., ACM MM 2018, arXiv 1804.01438",
    recipe={"loss.center_weight": 0.0, "loss.label_smoothing": 0.0},
    full={"data.height": 384, "data.width": 128, "data.erasing": 0.0},
    parameters_m=68.0,
    source="the paper states none; about 68 million is quoted for it",
    counted="ours is 68.8 million without classifiers; those of 751 people add 5.6",
)
