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
from mfa.models.peers.parts.peer import Peer, PeerNetwork, projected_head, resnet
from mfa.models.pooling import MaxPool, Projected, Stripe, reduction
from mfa.models.trunk import Trunk
from mfa.records import Branch

REDUCED = 256


class Whole(Head):
    """A whole map; the classifier sees the vector before its reduction."""

    def __init__(self, channels: int, identities: int, stem: nn.Module) -> None:
        pool = Projected(MaxPool(), reduced(channels))
        super().__init__(REDUCED, pool, 0, neck=nn.Identity(), stem=stem)
        if identities:
            self.classifier = nn.Linear(channels, identities)

    def read(self, branch_map: Tensor, guide: Tensor | None = None) -> Branch:
        """Pool once; reduce for the descriptor, classify unreduced."""
        assert isinstance(self.pool, Projected)
        whole = self.pool.pool(branch_map)
        vector = self.pool.layers(whole)
        logits = None if self.classifier is None else self.classifier(whole)
        return Branch(branch_map, vector, vector, logits, guide)


def reduced(channels: int) -> nn.Sequential:
    """1x1 convolution (a linear layer on the vector), BN, ReLU."""
    layers = reduction(channels, REDUCED, bias=False)
    nn.init.kaiming_normal_(layers[0].weight, mode="fan_in")  # type: ignore[arg-type]
    return layers


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Shared trunk, three stems, eight heads."""
    trunk = resnet(config)
    c = trunk.channels
    strided = deep(trunk)
    keep_stride(strided)
    stems = {"whole": Enlarged(strided), "halves": deep(trunk), "thirds": deep(trunk)}
    heads: dict[str, Head] = {"global": Whole(c, identities, stems["whole"])}
    for name, count in (("halves", 2), ("thirds", 3)):
        stem = stems[name]
        heads[f"{name}_whole"] = Whole(c, identities, stem)
        for i in range(count):
            # After a ReLU the maximum over a map that is 0 outside a stripe is the stripe's.
            heads[f"{name}{i + 1}"] = projected_head(
                MaxPool(), reduced(c), identities, stem=stem, stripe=Stripe(count, i)
            )
    # What all branches share: a ResNet up to the first block of its third layer.
    stages = {"layer1": trunk.layer(1), "layer2": trunk.layer(2), "layer3a": trunk.layer(3)[0]}
    shared = Trunk({"stem": trunk.stem(), **stages}, c // 2)
    return PeerNetwork(shared, heads, layers=tuple(stages), stems=stems)


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
