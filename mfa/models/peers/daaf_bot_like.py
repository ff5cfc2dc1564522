"""A network like DAAF-BoT (Chen et al., Deep Attention Aware Feature Learning, 2020).

From the paper: BagTricks whose training has two further aims and whose network stays as it is. A
holistic branch (HAB) predicts from the trunk map where the person is; a partial one (PAB) cuts the
channels into groups and predicts from each where its body part is, so that the groups see different
parts. Both are thrown away after training.

Changed, and not a small thing: the paper takes the person from a segmentation network and the parts
from a pose network. Neither is here; both come from ISP's clusters of the network's own map
(``parts.pixelclusters``), which know less. Reconstructed: 5 parts, a 1x1 convolution for each
prediction in place of upsampling layers, squared error, weight 0.1 for either aim.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.config import ModelConfig
from mfa.models.peers.parts.peer import RESNET, Peer, PeerNetwork, global_head, resnet
from mfa.models.peers.parts.pixelclusters import part_labels
from mfa.records import Output

PARTS = 5
WEIGHT = 0.1


class DaafBot(PeerNetwork):
    """BagTricks with the two aims."""

    def own_terms(self, output: Output, trunk: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """``holistic`` and ``partial``: squared error of the predicted places, weighted."""
        wanted = part_labels(trunk.detach(), labels, PARTS)
        person = self.stems["holistic"](trunk).sigmoid()[:, 0]
        groups = trunk.tensor_split(PARTS, dim=1)
        parts = self.stems["partial"]
        assert isinstance(parts, nn.ModuleList)
        found = torch.cat([part(group) for part, group in zip(parts, groups, strict=True)], dim=1)
        places = F.one_hot(wanted, 1 + PARTS)[..., 1:].permute(0, 3, 1, 2).to(found.dtype)
        return {
            "holistic": WEIGHT * F.mse_loss(person, (wanted > 0).to(person.dtype)),
            "partial": WEIGHT * F.mse_loss(found.sigmoid(), places),
        }


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk, one head, and what training alone uses."""
    trunk = resnet(config)
    c = trunk.channels
    sizes = [len(part) for part in torch.arange(c, device="cpu").tensor_split(PARTS)]
    heads = global_head(trunk, config, identities)
    stems = {
        "holistic": nn.Conv2d(c, 1, 1),
        "partial": nn.ModuleList(nn.Conv2d(size, 1, 1) for size in sizes),
    }
    return DaafBot(trunk, heads, stems=stems)


PEER = Peer(
    make,
    paper="Chen et al., arXiv 2003.00517",
    unlike="The paper takes the person from a segmentation network and the parts from a pose "
    "network; here both come from clusters of the network's own map.",
    reads=RESNET | {"pooling"},
)
