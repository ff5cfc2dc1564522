"""The baseline of Person_reID_baseline_pytorch (Zheng et al., TOMM 2018), known as layumi's.

From the authors' code: a ResNet-50 whose last layer halves the map (``stride`` 32) unless asked
otherwise; the mean over the map; a linear layer to 512 numbers and a batch normalisation, whose
output is the descriptor and is classified; identity loss alone. Their dropout of one half before
the classifier is left out.
"""

from __future__ import annotations

from torch import nn

from mfa.config import ModelConfig
from mfa.models.heads import Head
from mfa.models.peers.parts.peer import Peer, PeerNetwork, resnet
from mfa.models.pooling import GAP, Projected

DESCRIPTOR = 512


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk and one head."""
    trunk = resnet(config)
    pool = Projected(GAP(), nn.Linear(trunk.channels, DESCRIPTOR))
    return PeerNetwork(trunk, {"global": Head(DESCRIPTOR, pool, identities, bias=True)})


PEER = Peer(
    make,
    paper="Zheng et al., TOMM 2018, arXiv 1611.05666",
    recipe={"loss.triplet_weight": 0.0, "loss.center_weight": 0.0, "loss.label_smoothing": 0.0},
    full={"model.stride": 32},
)
