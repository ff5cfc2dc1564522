"""ABD-Net (Chen et al., ABD-Net: Attentive but Diverse Person Re-Identification, ICCV 2019).

From the paper: channel attention on the map of layer 1; after the shared part a global branch
(mean, fully connected layer to 1024 with BN and ReLU) and an attentive one (1x1 convolution to
1024; its own map, position attention and channel attention added); orthogonality of the maps
(O.F.) and of the weights (O.W.); 384x128. From the authors' code: trunk shared up to layer 3, layer
4 for each branch; the attentive branch works on 2 stripes with the same weights; each attention
sits between 3x3 convolutions at half the width, and so does what stands for the own map; a 1x1
convolution ends it. With them the count is the authors' to the last parameter.

Simplified: O.F. compares the largest and smallest singular values of the maps after the attention
exactly, where the paper iterates and takes the maps before it too; O.W. and the dropout inside the
attention heads are left out.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.models.backbones import ResNet
from mfa.models.heads import Head
from mfa.models.peers.parts.attention import ChannelAttention, PositionAttention
from mfa.models.peers.parts.peer import Peer, PeerNetwork, resnet
from mfa.models.pooling import GAP, Projected, stripe_rows
from mfa.models.trunk import Trunk
from mfa.records import Output

PARTS = 2
SHOWN = ("layer1", "layer2", "layer3")
ORTHOGONALITY = 1e-6
"""Weight of O.F. [reconstructed: the paper's beta_OF]."""


class Attentive(nn.Module):
    """Own map + position attention + channel attention, each between convolutions; then a 1x1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.own = self._between_convolutions(channels, nn.Identity)
        self.position = self._between_convolutions(channels, PositionAttention)
        self.channel = self._between_convolutions(channels, ChannelAttention)
        self.last = nn.Conv2d(channels, channels, 1)

    @staticmethod
    def _between_convolutions(channels: int, kind: type[nn.Module]) -> nn.Sequential:
        inner = channels // 2

        def conv(given: int) -> list[nn.Module]:
            made = nn.Conv2d(given, inner, 3, padding=1, bias=False)
            return [made, nn.BatchNorm2d(inner), nn.ReLU()]

        return nn.Sequential(
            *conv(channels), kind(inner), *conv(inner), nn.Conv2d(inner, channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        return self.last(self.own(x) + self.position(x) + self.channel(x))


class AttentivePart(Head):
    """A stripe of the attentive branch, whose weights both stripes share."""

    def __init__(
        self, width: int, identities: int, stem: nn.Module, attentive: Attentive, number: int
    ) -> None:
        super().__init__(width, GAP(), identities, neck=nn.Identity(), bias=True, stem=stem)
        self._attentive = (attentive,)
        self.number = number

    def cut(self, x: Tensor) -> Tensor:
        """The stripe after attention, at its place in a map of zeros, scaled for the mean."""
        rows = stripe_rows(x.shape[2], PARTS, self.number)
        seen = self._attentive[0](x[:, :, rows])
        seen = seen * (x.shape[2] / (rows.stop - rows.start))
        return nn.functional.pad(seen, (0, 0, rows.start, x.shape[2] - rows.stop))


class AbdNet(PeerNetwork):
    """The network, with the orthogonality of its maps as a loss."""

    def own_terms(self, output: Output, trunk: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """``orthogonality``: of the attentive branch's maps, weighted."""
        rows = (stripe_rows(trunk.shape[2], PARTS, i) for i in range(PARTS))
        maps = (output.branches[f"attentive{i + 1}"].map for i in range(PARTS))
        gaps = [spectral_gap(x[:, :, own]) for x, own in zip(maps, rows, strict=True)]
        return {"orthogonality": ORTHOGONALITY * torch.stack(gaps).mean()}


def spectral_gap(x: Tensor) -> Tensor:
    """Mean over pictures of (largest - smallest singular value)^2 of the maps as C x N matrices."""
    values = torch.linalg.svdvals(x.float().flatten(2))
    return (values[:, 0] - values[:, -1]).square().mean()


def make(config: ModelConfig, identities: int, *, pretrained: bool) -> PeerNetwork:
    """Shared trunk with channel attention, two stems, three heads."""
    trunk = resnet(config, pretrained=pretrained)
    width = trunk.channels // 2
    reduction = nn.Sequential(
        nn.Conv2d(trunk.channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
    )
    attentive = Attentive(width)
    stems = {
        "whole": copy.deepcopy(trunk.layer(4)),
        "attentive": nn.Sequential(copy.deepcopy(trunk.layer(4)), reduction),
    }
    vector = nn.Sequential(nn.Linear(trunk.channels, width), nn.BatchNorm1d(width), nn.ReLU())
    heads: dict[str, Head] = {
        "global": Head(
            width,
            Projected(GAP(), vector),
            identities,
            neck=nn.Identity(),
            bias=True,
            stem=stems["whole"],
        )
    }
    for i in range(PARTS):
        heads[f"attentive{i + 1}"] = AttentivePart(
            width, identities, stems["attentive"], attentive, i
        )
    return AbdNet(
        _shared(trunk, width),
        heads,
        layers=SHOWN,
        stripes={f"attentive{i + 1}": (i / PARTS, (i + 1) / PARTS) for i in range(PARTS)},
        stems={**stems, "attention": attentive},
    )


def _shared(trunk: ResNet, width: int) -> Trunk:
    """What both branches share, with attention on the map of layer 1."""
    attentive = nn.Sequential(trunk.layer(1), ChannelAttention(width // 4))
    stages = {
        "stem": trunk.stem(),
        "layer1": attentive,
        "layer2": trunk.layer(2),
        "layer3": trunk.layer(3),
    }
    return Trunk(stages, width)


PEER = Peer(
    make,
    paper="Chen et al., ICCV 2019, arXiv 1908.01114",
    recipe={"loss.center_weight": 0.0},
    full={"data.height": 384, "data.width": 128},
    parameters_m=69.175,
    source="printed by the authors' code for Market-1501 (VITA-Group/ABD-Net issue 9)",
    counted="the classifiers of 751 people are in theirs: 2.3 million",
)
