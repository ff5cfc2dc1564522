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

from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models.heads import Head
from mfa.models.peers.parts.peer import Peer, PeerNetwork
from mfa.models.pooling import GAP, Projected
from mfa.models.trunk import Trunk

CHANNELS = (1.0, 4.0, 6.0, 8.0)
"""Of stem and stages, in widths."""

DESCRIPTOR = 512
REDUCTION = 4
GATE = 16
STAGES = ("conv2", "conv3", "conv4", "conv5")


class Conv(nn.Module):
    """Convolution, BN and, unless ``linear``, ReLU."""

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(out)
        self.relu = nn.Identity() if linear else nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Run the three."""
        return self.relu(self.bn(self.conv(x)))


class Light(nn.Module):
    """1x1 convolution, depthwise 3x3, BN, ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Run the four."""
        return self.relu(self.bn(self.conv2(self.conv1(x))))


class Gate(nn.Module):
    """Each channel times a number in (0, 1) seen in the means of all; one gate for all streams."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // GATE, 1)
        self.fc1 = nn.Conv2d(channels, inner, 1)
        self.fc2 = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        inner = self.fc1(x.mean(dim=(2, 3), keepdim=True)).relu()
        return x * self.fc2(inner).sigmoid()


class Block(nn.Module):
    """Four streams of one to four light convolutions, gated, added, and the input added."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        inner = out // REDUCTION
        self.conv1 = Conv(channels, inner)
        self.conv2a = Light(inner)
        self.conv2b, self.conv2c, self.conv2d = (
            nn.Sequential(*(Light(inner) for _ in range(depth))) for depth in (2, 3, 4)
        )
        self.gate = Gate(inner)
        self.conv3 = Conv(inner, out, linear=True)
        self.downsample = Conv(channels, out, linear=True) if channels != out else nn.Identity()

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
        Block(channels, out), Block(out, out), nn.Sequential(Conv(out, out), smaller)
    )


def trunk_of(width: int, stride: int) -> Trunk:
    """The four stages and what comes before and after them."""
    stem, second, third, fourth = (int(width * c) for c in CHANNELS)
    coarse = stage(second, third, halve=stride == 16)
    stages = {
        "conv1": Conv(3, stem, 7, stride=2),
        "maxpool": nn.MaxPool2d(3, stride=2, padding=1),
        "conv2": stage(stem, second, halve=True),
        "conv3": coarse,
        "conv4": nn.Sequential(Block(third, fourth), Block(fourth, fourth)),
        "conv5": Conv(fourth, fourth),
    }
    return Trunk(stages, fourth)


def make(config: ModelConfig, identities: int, *, pretrained: bool) -> PeerNetwork:
    """Trunk and one head."""
    if config.stride not in (8, 16):
        raise InputError(f"osnet has no stride {config.stride}", "set model.stride to 8 or 16")
    trunk = trunk_of(config.width, config.stride)
    layers = nn.Sequential(
        nn.Linear(trunk.channels, DESCRIPTOR), nn.BatchNorm1d(DESCRIPTOR), nn.ReLU()
    )
    for module in trunk.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    nn.init.normal_(layers[0].weight, std=0.01)  # type: ignore[arg-type]
    head = Head(DESCRIPTOR, Projected(GAP(), layers), identities, neck=nn.Identity(), bias=True)
    return PeerNetwork(trunk, {"global": head}, layers=STAGES)


PEER = Peer(
    make,
    paper="Zhou et al., ICCV 2019, arXiv 1905.00953",
    recipe={
        "model.weights": "none",
        "loss.triplet_weight": 0.0,
        "loss.center_weight": 0.0,
    },
    reads=frozenset({"stride"}),
    trunks=("osnet",),
    parameters_m=2.2,
    source="the paper: 2.2 M at x1.0, 0.2 M at x0.25",
    counted="without the classifier",
)
