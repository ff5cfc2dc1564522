"""SONA-Net (Bryan et al., Second-order Non-local Attention Networks for Person ReID, ICCV 2019).

From the paper: second-order non-local attention behind layers 2 and 3 (``parts.attention``); a
global branch (mean) and a branch that in training drops one region of the map, the same for the
whole batch (DropBlock), before a maximum; 384x128. From BFE, which that pair of branches goes back
to: 512 and 1,024 numbers, a bottleneck before the dropping, a region a third of the height and as
wide as the map. Identity and triplet loss on both.

Reconstructed: the reduction inside the attention is 2. The paper's count is not known to us.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from mfa.config import ModelConfig
from mfa.models.peers.parts.attention import SecondOrder
from mfa.models.peers.parts.peer import Peer, PeerNetwork, projected_head, resnet
from mfa.models.pooling import GAP, MaxPool, reduction

GLOBAL = 512
DROPPED = 1024
HEIGHT = 1 / 3
"""Share of the map's height that is dropped."""

MODULUS = 2**31
"""Of the linear congruential generator (ANSI C's) that draws what is dropped."""


class Drop(nn.Module):
    """In training a band of the map at a random height is 0 for the whole batch.

    The heights are drawn from a state of the module's own, which a checkpoint keeps. So they depend
    on the network's seed and on the steps behind it, and on nothing else.
    """

    state: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("state", torch.randint(MODULUS, (), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        if not self.training:
            return x
        height = x.shape[2]
        band = max(round(HEIGHT * height), 1)
        with torch.no_grad():  # on the device, so that a GPU does not wait for the CPU
            self.state.mul_(1_103_515_245).add_(12_345).remainder_(MODULUS)
            first = torch.div(self.state * (height - band + 1), MODULUS, rounding_mode="floor")
        rows = torch.arange(height, device=x.device)[:, None]
        return x * ((rows < first) | (rows >= first + band)).to(x.dtype)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Checkpoints of the first format have no state; the network keeps the one it has."""
        state.setdefault(f"{prefix}state", self.state)
        super()._load_from_state_dict(state, prefix, *rest)


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """Trunk with attention and two heads."""
    trunk = resnet(config)
    c = trunk.channels
    trunk.layer(2).add_module("second_order", SecondOrder(c // 4))
    trunk.layer(3).add_module("second_order", SecondOrder(c // 2))
    block = Bottleneck if config.trunk == "resnet50" else BasicBlock
    stem = nn.Sequential(block(c, c // block.expansion), Drop())
    heads = {
        "global": projected_head(GAP(), reduction(c, GLOBAL), identities),
        "dropped": projected_head(MaxPool(), reduction(c, DROPPED), identities, stem=stem),
    }
    return PeerNetwork(trunk, heads, stems={"dropped": stem})


PEER = Peer(
    make,
    paper="Bryan et al., ICCV 2019",
    recipe={"loss.center_weight": 0.0},
    full={"data.height": 384, "data.width": 128},
)
