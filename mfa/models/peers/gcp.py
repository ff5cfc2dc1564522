"""GCP (Park and Ham, Relation Network for Person Re-Identification, AAAI 2020).

From the paper's abstract and its authors' code: the map of a ResNet-50 with last stride 1, cut into
2, 4 and 6 stripes, each pooled by its maximum. One against the rest: a stripe's vector p and the
mean r of the other stripes' are reduced to 256 numbers, and the part is p plus a relation seen in
both. Global contrastive pooling: the same with the maximum over all stripes in p's place and, in
r's, the stripes' sum without it. Every reduction and relation is a layer with BN and ReLU for
itself. The descriptor is the 12 parts and the 3 globals, 3,840 numbers; identity loss counts twice,
triplet loss once; 384x128.

Left out: the classifiers that their code gives p and r too in training; their triplet has a margin
of 1.2 and is semi-hard, SGD trains the trunk at a tenth of the rate. Their count is not stated.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.models.heads import Head
from mfa.models.peers.parts.peer import Peer, PeerNetwork, resnet
from mfa.models.pooling import Stripe, reduction

SCALES = (2, 4, 6)
REDUCED = 256


class Related(nn.Module):
    """Pooling: one stripe, or what is strongest in any, with its relation to the rest."""

    def __init__(self, channels: int, stripes: int, number: int | None) -> None:
        """The pooling of stripe ``number`` (from 0) of ``stripes``; of all together for None."""
        super().__init__()
        self.stripes = [Stripe(stripes, i) for i in range(stripes)]
        self.number = number
        self.own = reduction(channels, REDUCED)
        self.rest = reduction(channels, REDUCED)
        self.relation = reduction(2 * REDUCED, REDUCED)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to (B, 256)."""
        own, rest = self.seen(x.float())
        p, r = self.own(own), self.rest(rest)
        return p + self.relation(torch.cat([p, r], dim=1))

    def seen(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The stripe's maximum (or that of all) and the mean of what is left, each (B, C)."""
        rows = (stripe.rows(x.shape[2]) for stripe in self.stripes)
        parts = torch.stack([x[:, :, each].amax(dim=(2, 3)) for each in rows])
        own = parts.amax(dim=0) if self.number is None else parts[self.number]
        return own, (parts.sum(dim=0) - own) / (len(parts) - 1)


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk and fifteen heads, each of which sees the whole map, named by their stripes."""
    trunk = resnet(config)
    heads = {}
    for stripes in SCALES:
        for number in (None, *range(stripes)):
            name = f"global{stripes}" if number is None else f"part{stripes}_{number + 1}"
            pool = Related(trunk.channels, stripes, number)
            heads[name] = Head(REDUCED, pool, identities, neck=nn.Identity(), bias=True)
    return PeerNetwork(trunk, heads)


PEER = Peer(
    make,
    paper="Park and Ham, AAAI 2020, arXiv 1911.09318",
    recipe={"loss.id_weight": 2.0, "loss.center_weight": 0.0, "loss.label_smoothing": 0.0},
    full={"data.height": 384, "data.width": 128},
)
