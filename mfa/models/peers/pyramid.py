"""Pyramid (Zheng et al., Pyramidal Person Re-IDentification, CVPR 2019).

From the paper: the map of a ResNet cut into 6 basic stripes; every run of 1 to 6 neighbouring
stripes is a part, 21 in all, so that the parts go from fine to the whole; each is pooled by mean
plus maximum, reduced to 128 by a 1x1 convolution with BN and ReLU, and classified; the 21 vectors
are the descriptor; 384x128.

Simplified: identity and triplet loss have fixed weights, where the paper shifts between the two as
the training goes (its dynamic training), and the triplet acts on each part, not on all together.
The paper's best figures are of a ResNet-101.
"""

from __future__ import annotations

from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.models.peers.parts.peer import Peer, PeerNetwork, projected_head, resnet
from mfa.models.pooling import Stripe, reduction

BASIC = 6
REDUCED = 128


class MeanAndMax(nn.Module):
    """Mean plus maximum over the rows of a map that are not zeroed."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, C)."""
        x = x.float()
        return x.mean(dim=(2, 3)) / self.share + x.amax(dim=(2, 3))


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk and 21 parts, named by their length and their first stripe."""
    trunk = resnet(config)
    heads = {}
    for length in range(BASIC, 0, -1):
        for first in range(BASIC - length + 1):
            layers = reduction(trunk.channels, REDUCED, bias=False)
            heads[f"part{length}_{first + 1}"] = projected_head(
                MeanAndMax(length / BASIC), layers, identities, stripe=Stripe(BASIC, first, length)
            )
    return PeerNetwork(trunk, heads)


PEER = Peer(
    make,
    paper="Zheng et al., CVPR 2019, arXiv 1810.12193",
    recipe={"loss.center_weight": 0.0},
    full={"data.height": 384, "data.width": 128},
)
