"""A network like ISP (Zhu et al., Identity-Guided Human Semantic Parsing, ECCV 2020).

From the paper: parts are learned without part labels. Pixels of an identity's pictures are
clustered into background and person, the person's into parts (``parts.pixelclusters``); a 1x1
convolution learns these labels and weighs the map for each part; vectors of the parts, of the
foreground (all parts together) and of the whole map, each with BNNeck, identity and triplet loss;
the parsing loss has a weight of 0.1; 6 labels, background among them.

Simplified: the clusters are made anew in every batch from each identity's pictures in it, where the
paper clusters all pictures of the training set before every epoch; parts have a classifier each,
where the paper's share one; a part that is hidden still counts in the distance; the trunk is a
ResNet, the paper's an HRNet-W32. Its parameters cannot be compared for that reason.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.config import ModelConfig
from mfa.models.heads import Head
from mfa.models.peers.parts.peer import Peer, PeerNetwork, resnet
from mfa.models.peers.parts.pixelclusters import part_labels
from mfa.models.pooling import GAP
from mfa.records import Output

PARTS = 5
PARSING_WEIGHT = 0.1


class Parser(nn.Module):
    """The map with its parts' shares under it: (B, C, h, w) to (B, C + 1 + parts, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.parse = nn.Conv2d(channels, 1 + PARTS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Append for every pixel its share of background and of each part."""
        return torch.cat([x, self.parse(x).softmax(dim=1)], dim=1)


class Parsed(Head):
    """The map weighed by the shares of the labels ``first`` to ``last``, averaged."""

    def __init__(self, parser: Parser, identities: int, first: int, last: int) -> None:
        super().__init__(parser.channels, GAP(), identities, stem=parser)
        self.channels = parser.channels
        self.labels = slice(parser.channels + first, parser.channels + last + 1)

    def cut(self, x: Tensor) -> Tensor:
        """The trunk map times what of each pixel belongs to the part."""
        return x[:, : self.channels] * x[:, self.labels].sum(dim=1, keepdim=True)


class Isp(PeerNetwork):
    """The network, with the parsing loss."""

    def own_terms(self, output: Output, trunk: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """``parsing``: cross-entropy of the pixels' labels, weighted."""
        parser = self.stems["parser"]
        assert isinstance(parser, Parser)
        wanted = part_labels(trunk.detach(), labels, PARTS)
        found = parser.parse(trunk)
        return {"parsing": PARSING_WEIGHT * F.cross_entropy(found, wanted)}


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk, parser, and heads for the whole, the person and its parts."""
    trunk = resnet(config)
    parser = Parser(trunk.channels)
    heads = {
        "global": Head(trunk.channels, GAP(), identities),
        "person": Parsed(parser, identities, 1, PARTS),
    } | {f"part{i}": Parsed(parser, identities, i, i) for i in range(1, PARTS + 1)}
    return Isp(trunk, heads, stems={"parser": parser})


PEER = Peer(
    make,
    paper="Zhu et al., ECCV 2020, arXiv 2007.13467",
    unlike="The clusters are made within each batch, where the paper clusters the whole "
    "training set before every epoch, and the trunk is a ResNet instead of an HRNet.",
)
