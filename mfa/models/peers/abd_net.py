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
from torchvision.ops import Conv2dNormActivation

from mfa.config import ModelConfig
from mfa.models.heads import Head
from mfa.models.peers.parts.attention import ChannelAttention, PositionAttention
from mfa.models.peers.parts.peer import Peer, PeerNetwork, projected_head, resnet
from mfa.models.pooling import GAP, Stripe, reduction
from mfa.models.trunk import Trunk
from mfa.records import Output

PARTS = (Stripe(2, 0), Stripe(2, 1))
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
        return nn.Sequential(
            *Conv2dNormActivation(channels, inner, 3),
            kind(inner),
            *Conv2dNormActivation(inner, inner, 3),
            nn.Conv2d(inner, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        return self.last(self.own(x) + self.position(x) + self.channel(x))


class AttentivePart(Head):
    """A stripe of the attentive branch, whose weights both stripes share."""

    stripe: Stripe

    def __init__(
        self, width: int, identities: int, stem: nn.Module, attentive: Attentive, stripe: Stripe
    ) -> None:
        neck = nn.Identity()
        super().__init__(width, GAP(), identities, neck=neck, bias=True, stem=stem, stripe=stripe)
        self._attentive = (attentive,)  # in a tuple, so that it is not registered twice

    def cut(self, x: Tensor) -> Tensor:
        """The stripe after attention, at its place in a map of zeros, scaled for the mean."""
        rows = self.stripe.rows(x.shape[2])
        seen = self._attentive[0](x[:, :, rows])
        seen = seen * (x.shape[2] / (rows.stop - rows.start))
        return nn.functional.pad(seen, (0, 0, rows.start, x.shape[2] - rows.stop))


class AbdNet(PeerNetwork):
    """The network, with the orthogonality of its maps as a loss."""

    def own_terms(self, output: Output, trunk: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """``orthogonality``: of the attentive branch's maps, weighted."""
        gaps = [
            spectral_gap(output.branches[f"attentive{i}"].map[:, :, part.rows(trunk.shape[2])])
            for i, part in enumerate(PARTS, start=1)
        ]
        return {"orthogonality": ORTHOGONALITY * torch.stack(gaps).mean()}


def spectral_gap(x: Tensor) -> Tensor:
    """Mean over pictures of (largest - smallest singular value)^2 of the maps as C x N matrices."""
    values = torch.linalg.svdvals(x.float().flatten(2))
    return (values[:, 0] - values[:, -1]).square().mean()


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Shared trunk with channel attention, two stems, three heads."""
    trunk = resnet(config)
    width = trunk.channels // 2
    narrow = Conv2dNormActivation(trunk.channels, width, 1)
    attentive = Attentive(width)
    stems: dict[str, nn.Module] = {
        "whole": copy.deepcopy(trunk.layer(4)),
        "attentive": nn.Sequential(copy.deepcopy(trunk.layer(4)), narrow),
    }
    vector = reduction(trunk.channels, width)
    heads = {"global": projected_head(GAP(), vector, identities, stem=stems["whole"])}
    for i, part in enumerate(PARTS, start=1):
        stem = stems["attentive"]
        heads[f"attentive{i}"] = AttentivePart(width, identities, stem, attentive, part)
    # What both branches share, with attention on the map of layer 1.
    stages = {
        "layer1": nn.Sequential(trunk.layer(1), ChannelAttention(width // 4)),
        "layer2": trunk.layer(2),
        "layer3": trunk.layer(3),
    }
    shared = Trunk({"stem": trunk.stem(), **stages}, width)
    stems["attention"] = attentive
    return AbdNet(shared, heads, layers=tuple(stages), stems=stems)


PEER = Peer(
    make,
    paper="Chen et al., ICCV 2019, arXiv 1908.01114",
    recipe={"loss.center_weight": 0.0},
    full={"data.height": 384, "data.width": 128},
    parameters_m=69.175,
    source="printed by the authors' code for Market-1501 (VITA-Group/ABD-Net issue 9)",
    counted="the classifiers of 751 people are in theirs: 2.3 million",
)
