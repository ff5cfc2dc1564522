"""A network like GASM (He and Liu, Guided Saliency Feature Learning, ECCV 2020).

From the paper (its abstract; no more of it was at hand and its code was never published): a
convolutional network gives a vector for each pixel; a layer guided by masks and by poses gives a
saliency heatmap, which guides what is learned; two pictures are matched pixel by pixel: each of the
query's looks for its likest in the gallery picture, and saliency is its weight.

Changed, and not a small thing: the paper's saliency is taught with masks and keypoints. Neither is
here; person and background come from the clusters of the network's own map that ISP makes
(``parts.pixelclusters``), which know less. And retrieval compares one descriptor, of the salient
mean and the mean of all pixels, so the matching is trained but does not rank.
Reconstructed: a 1x1 convolution and a sigmoid for the saliency, cross-entropy with a weight of 0.1;
cosine of pixels; a batch-hard triplet with BagTricks' margin on the matched distances; BNNeck,
identity and triplet loss on both vectors. The paper's parameters are not known to us.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.config import ModelConfig
from mfa.losses.pairs import farthest, mean_over, nearest, pair_masks
from mfa.models.heads import Head
from mfa.models.peers.parts.peer import Peer, PeerNetwork, resnet
from mfa.models.peers.parts.pixelclusters import part_labels
from mfa.models.pooling import GAP
from mfa.records import Output

SALIENCY_WEIGHT = 0.1
MARGIN = 0.3
"""Of the matched distances, which are 1 - cosine."""


class Saliency(nn.Module):
    """The map with its saliency under it: (B, C, h, w) to (B, C + 1, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.logit = nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Append for every pixel how much it is the person's, in (0, 1)."""
        return torch.cat([x, self.logit(x).sigmoid()], dim=1)


class Salient(Head):
    """The mean of the pixels weighed by their saliency."""

    def cut(self, x: Tensor) -> Tensor:
        """The trunk map times saliency, which comes to 1 in the mean whatever the person's size."""
        saliency = x[:, -1:]
        return x[:, :-1] * saliency / saliency.mean(dim=(2, 3), keepdim=True).clamp(min=1e-6)


class Gasm(PeerNetwork):
    """The network, with the losses of saliency and matching."""

    def own_terms(self, output: Output, trunk: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """``saliency``: cross-entropy of person and background, weighted; ``matching``: triplet."""
        saliency = self.stems["saliency"]
        assert isinstance(saliency, Saliency)
        logits = saliency.logit(trunk)[:, 0]
        person = part_labels(trunk.detach(), labels, 1).to(logits.dtype)
        distances = matched(trunk, logits.sigmoid())
        positive, negative, usable = pair_masks(labels)
        terms = (MARGIN + farthest(distances, positive) - nearest(distances, negative)).clamp(min=0)
        return {
            "saliency": SALIENCY_WEIGHT * F.binary_cross_entropy_with_logits(logits, person),
            "matching": mean_over(terms, usable),
        }


def matched(maps: Tensor, saliency: Tensor) -> Tensor:
    """How far each picture (row) is from each (column), pixel by pixel, (B, B).

    The mean over the row's pixels, weighed by ``saliency`` (B, h, w), of 1 - cosine to the likest
    pixel of the column. Not the same both ways.
    """
    pixels = F.normalize(maps.flatten(2), dim=1)
    best = torch.einsum("acn,bcm->abnm", pixels, pixels).amax(dim=3)
    weights = saliency.flatten(1) / saliency.flatten(1).sum(dim=1, keepdim=True).clamp(min=1e-6)
    return 1 - torch.einsum("abn,an->ab", best, weights)


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk, saliency, and heads for the whole and for what is salient."""
    trunk = resnet(config)
    saliency = Saliency(trunk.channels)
    heads = {
        "global": Head(trunk.channels, GAP(), identities),
        "salient": Salient(trunk.channels, GAP(), identities, stem=saliency),
    }
    return Gasm(trunk, heads, stems={"saliency": saliency})


PEER = Peer(
    make,
    paper="He and Liu, ECCV 2020",
    unlike="The paper's saliency is taught with masks and keypoints; here person and "
    "background come from clusters of the network's own map.",
)
