"""BagTricks trained with a loss like the RA loss (Wang et al., ACCV 2022); see ``mfa.losses.ra``.

The network is BagTricks'. The RA loss takes the triplet's place, on the vector before BNNeck. Which
baseline its authors put it on could not be read; that Fig. 6 means BagTricks is our reading.
"""

from __future__ import annotations

from torch import Tensor

from mfa.config import ModelConfig
from mfa.losses.ra import ra_loss
from mfa.models.peers.parts.peer import RESNET, Peer, PeerNetwork, global_head, resnet
from mfa.records import Output


class RaLoss(PeerNetwork):
    """BagTricks with a loss of its own."""

    def own_terms(self, output: Output, trunk: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """``ra``: over the pooled vectors."""
        return {"ra": ra_loss(output.branches["global"].pooled.float(), labels)}


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk and one head."""
    trunk = resnet(config)
    return RaLoss(trunk, global_head(trunk, config, identities))


PEER = Peer(
    make,
    paper="Wang et al., ACCV 2022",
    unlike="The forms of the two constraints are reconstructed from the abstract; the "
    "formulas were not at hand.",
    reads=RESNET | {"pooling"},
    recipe={"loss.triplet_weight": 0.0},
)
