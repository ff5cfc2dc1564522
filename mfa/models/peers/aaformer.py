"""AAFormer (Zhu et al., AAformer: Auto-Aligned Transformer for Person ReID, 2021).

From the paper: a ViT-B/16 from ImageNet with, beside the class token, part tokens; in
self-attention the patches are first dealt to the parts, as evenly as optimal transport makes it (a
few Sinkhorn rounds on the likeness of a part's query and a patch's key), then each part token sees
itself and its own patches alone; class token and patches see everything; class and part tokens,
normalised, are the descriptor, each with identity and triplet loss; 5 parts.

Reconstructed: Sinkhorn's temperature (0.05) and rounds (3); the dealing is done once, in the last
block, where the paper does it in the last layers; no gradient goes through it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.config import ModelConfig
from mfa.models.peers.parts.peer import Peer, PeerNetwork
from mfa.models.peers.parts.transformer import (
    AT_BUDGET,
    DEPTHS,
    GRIDS,
    Block,
    Read,
    Token,
    initialise,
    vit_trunk,
)
from mfa.models.peers.parts.vitweights import load_vit

PARTS = 5
ROUNDS = 3
TEMPERATURE = 0.05


class AlignedBlock(nn.Module):
    """The last block, which part tokens join; its attention shows them their own patches."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.parts = nn.Parameter(torch.zeros(1, PARTS, dim))
        nn.init.trunc_normal_(self.parts, std=0.02)
        self.block = Block(dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, 1 + N, C) to the class token and the part tokens, (B, 1 + parts, C)."""
        parts = self.parts.expand(tokens.shape[0], -1, -1)
        x = torch.cat([tokens[:, :1], parts, tokens[:, 1:]], dim=1)
        return self.norm(self.block(x, self._seen)[:, : 1 + PARTS])

    @torch.no_grad()
    def _seen(self, q: Tensor, k: Tensor) -> Tensor:
        """0 where a token may look and minus infinity where not, (B, 1, T, T)."""
        parts = q[:, :, 1 : 1 + PARTS].transpose(1, 2).flatten(2)
        patches = k[:, :, 1 + PARTS :].transpose(1, 2).flatten(2)
        owner = dealt(F.normalize(parts, dim=2) @ F.normalize(patches, dim=2).transpose(1, 2))
        own = torch.arange(PARTS, device=q.device)[None, :, None] == owner[:, None]
        count = q.shape[2]
        seen = torch.ones(q.shape[0], 1, count, count, dtype=torch.bool, device=q.device)
        seen[:, 0, 1 : 1 + PARTS, 0] = False
        seen[:, 0, 1 : 1 + PARTS, 1 : 1 + PARTS] = torch.eye(PARTS, device=q.device) > 0
        seen[:, 0, 1 : 1 + PARTS, 1 + PARTS :] = own
        return torch.zeros_like(seen, dtype=q.dtype).masked_fill(~seen, -torch.inf)


def dealt(likeness: Tensor) -> Tensor:
    """The part each patch goes to, (B, N), by evened-out likeness (B, parts, N)."""
    plan = (likeness.float() / TEMPERATURE).softmax(dim=1)
    for _ in range(ROUNDS):
        plan = plan / plan.sum(dim=2, keepdim=True)
        plan = plan / plan.sum(dim=1, keepdim=True)
    return plan.argmax(dim=1)


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """All blocks but the last as trunk, the aligned one, six heads."""
    trunk = vit_trunk(config)
    dim = trunk.channels // 2
    last = AlignedBlock(dim)
    initialise(trunk, last)
    names = ("global", *(f"part{i + 1}" for i in range(PARTS)))
    heads = {name: Token(dim, Read(last, i), identities) for i, name in enumerate(names)}
    load_vit(config, trunk, {"aligned": last})
    return PeerNetwork(trunk, heads, layers=trunk.stages[1:], stems={"aligned": last})


PEER = Peer(
    make,
    paper="Zhu et al., arXiv 2104.00921",
    reads=frozenset({"width", "weights"}),
    trunks=tuple(DEPTHS),
    strides=tuple(GRIDS),
    in_place_of=AT_BUDGET,
    recipe={"loss.center_weight": 0.0, "loss.label_smoothing": 0.0},
)
