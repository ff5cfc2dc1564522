"""PCB (Sun et al., Beyond Part Models: Person Retrieval with Refined Part Pooling, ECCV 2018).

From the paper: ResNet-50 with last stride 1, its map cut into 6 stripes, each averaged to a column
vector g, reduced to 256 numbers h by a 1x1 convolution with BN and ReLU, classified by itself;
identity loss alone; the descriptor is the six g, 12,288 numbers at full size (the paper's longer
choice; it also tries the six h); 384x128. Refined part pooling (RPP), a second stage of training,
is not built, nor is the lower learning rate of the trunk (0.1 of the others').
"""

from __future__ import annotations

from torch import nn

from mfa.config import ModelConfig
from mfa.models.heads import Head
from mfa.models.peers.parts.peer import Peer, PeerNetwork, resnet
from mfa.models.pooling import GAP, Stripe, reduction

PARTS = 6
REDUCED = 256


def part(channels: int, identities: int, number: int) -> Head:
    """One stripe: its mean is pooled vector and embedding; the classifier sees it reduced."""
    stripe = Stripe(PARTS, number, scaled=True)
    head = Head(channels, GAP(), 0, neck=nn.Identity(), stripe=stripe)
    if identities:
        reduced = reduction(channels, REDUCED, bias=False)
        head.classifier = reduced.append(nn.Linear(REDUCED, identities))
        nn.init.normal_(reduced[-1].weight, std=0.001)  # type: ignore[arg-type]
    return head


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk and six parts."""
    trunk = resnet(config)
    heads = {f"part{i + 1}": part(trunk.channels, identities, i) for i in range(PARTS)}
    return PeerNetwork(trunk, heads)


PEER = Peer(
    make,
    paper="Sun et al., ECCV 2018, arXiv 1711.09349",
    recipe={"loss.triplet_weight": 0.0, "loss.center_weight": 0.0, "loss.label_smoothing": 0.0},
    full={"data.height": 384, "data.width": 128, "data.erasing": 0.0},
    counted="the paper states none; the descriptor needs the ResNet-50 alone, training 4.3 million "
    "more for reductions and classifiers of 751 people",
)
