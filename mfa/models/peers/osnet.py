"""OSNet (Zhou et al., Omni-Scale Feature Learning for Person Re-Identification, ICCV 2019).

From the paper: blocks of four streams, whose receptive fields grow from 3 to 9, mixed by one gate
for all streams; light 3x3 convolutions (1x1, then depthwise); 64, 256, 384, 512 channels; global
average pooling; a fully connected layer to 512 with BN and ReLU, whose output is the descriptor
and is classified. ``ModelConfig.width`` 64 is x1.0, 16 is x0.25: all channels but the 512 of the
descriptor scale with it. Names are those of the authors' code, so that its weights load.

People are compared by the identity loss alone, as in the paper: with the hard triplets of the
others added, a fresh OSNet shrinks to a point within a few epochs on the ``demo`` budget.
With ``stride`` 8 the second halving between stages is left out, for small inputs (ours).
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.models.omni_scale import channel_gate
from mfa.models.peers.parts.peer import Peer, PeerNetwork, projected_head
from mfa.models.pooling import GAP, reduction
from mfa.models.trunk import Trunk, initialise

CHANNELS = (1.0, 4.0, 6.0, 8.0)
"""Of stem and stages, in widths."""

DESCRIPTOR = 512
REDUCTION = 4


def conv(
    channels: int, out: int, kernel: int = 1, *, stride: int = 1, linear: bool = False
) -> nn.Sequential:
    """Convolution, BN and, unless ``linear``, ReLU."""
    made = nn.Conv2d(channels, out, kernel, stride=stride, padding=kernel // 2, bias=False)
    last = nn.Identity() if linear else nn.ReLU()
    return nn.Sequential(OrderedDict(conv=made, bn=nn.BatchNorm2d(out), relu=last))


def light(channels: int) -> nn.Sequential:
    """1x1 convolution, depthwise 3x3, BN, ReLU."""
    point = nn.Conv2d(channels, channels, 1, bias=False)
    depth = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
    bn = nn.BatchNorm2d(channels)
    return nn.Sequential(OrderedDict(conv1=point, conv2=depth, bn=bn, relu=nn.ReLU()))


class Block(nn.Module):
    """Four streams of one to four light convolutions, gated, added, and the input added."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        inner = out // REDUCTION
        self.conv1 = conv(channels, inner)
        self.conv2a = light(inner)
        self.conv2b, self.conv2c, self.conv2d = (
            nn.Sequential(*(light(inner) for _ in range(depth))) for depth in (2, 3, 4)
        )
        self.gate = channel_gate(inner)
        self.conv3 = conv(inner, out, linear=True)
        self.downsample = conv(channels, out, linear=True) if channels != out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C', h, w)."""
        start = self.conv1(x)
        streams = (self.conv2a, self.conv2b, self.conv2c, self.conv2d)
        mixed = sum(self.gate(stream(start)) for stream in streams)
        return (self.conv3(mixed) + self.downsample(x)).relu()


def stage(channels: int, out: int, *, halve: bool) -> nn.Sequential:
    """Two blocks, then a 1x1 convolution that may halve the map."""
    smaller = nn.AvgPool2d(2, stride=2) if halve else nn.Identity()
    return nn.Sequential(
        Block(channels, out), Block(out, out), nn.Sequential(conv(out, out), smaller)
    )


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk and one head."""
    stem, second, third, fourth = (int(config.width * c) for c in CHANNELS)
    coarse = stage(second, third, halve=config.stride == 16)
    start = {"conv1": conv(3, stem, 7, stride=2), "maxpool": nn.MaxPool2d(3, stride=2, padding=1)}
    stages = {
        "conv2": stage(stem, second, halve=True),
        "conv3": coarse,
        "conv4": nn.Sequential(Block(third, fourth), Block(fourth, fourth)),
        "conv5": conv(fourth, fourth),
    }
    trunk = Trunk(start | stages, fourth)
    layers = reduction(fourth, DESCRIPTOR)
    initialise(trunk)
    nn.init.normal_(layers[0].weight, std=0.01)  # type: ignore[arg-type]
    heads = {"global": projected_head(GAP(), layers, identities)}
    return PeerNetwork(trunk, heads, layers=tuple(stages))


PEER = Peer(
    make,
    paper="Zhou et al., ICCV 2019, arXiv 1905.00953",
    recipe={"model.weights": "none", "loss.triplet_weight": 0.0, "loss.center_weight": 0.0},
    reads=frozenset({"width"}),
    strides=(8, 16),
    trunks=("osnet",),
    parameters_m=2.2,
    source="the paper: 2.2 M at x1.0, 0.2 M at x0.25",
    counted="without the classifier",
)
