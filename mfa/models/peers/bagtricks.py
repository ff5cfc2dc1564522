"""BagTricks (Luo et al., Bag of Tricks and a Strong Baseline for Deep Person ReID, CVPRW 2019).

From the paper: ResNet-50 with last stride 1, global average pooling, BNNeck (triplet and center
loss before it, identity loss and retrieval after it), label smoothing, random erasing, warm-up,
center loss. Its triplet has a margin of 0.3; here the soft margin takes its place.
The authors' code has no ReLU behind the first normalisation; ``model.authors_code`` leaves it out.
"""

from __future__ import annotations

from mfa.config import ModelConfig
from mfa.models.peers.parts.peer import RESNET, Peer, PeerNetwork, global_head, resnet


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk and one head."""
    trunk = resnet(config)
    return PeerNetwork(trunk, global_head(trunk, config, identities))


PEER = Peer(
    make,
    paper="Luo et al., CVPRW 2019, arXiv 1903.07071",
    reads=RESNET | {"pooling", "authors_code"},
    parameters_m=23.51,
    source="ResNet-50 without its classifier",
    counted="BNNeck's 4,096 are in ours",
)
