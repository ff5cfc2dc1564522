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
    HEADS,
    Block,
    Token,
    as_tokens,
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
        self.block = Block(dim, HEADS)
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, 1 + N, C) to the class token and the part tokens, (B, 1 + parts, C)."""
        x = torch.cat([tokens[:, :1], self.parts.expand(len(tokens), -1, -1), tokens[:, 1:]], dim=1)
        normal = self.block.norm1(x)
        qkv = self.block.attn.qkv(normal)
        batch, count, dim = x.shape
        q, k, v = qkv.view(batch, count, 3, HEADS, dim // HEADS).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=self._seen(q, k))
        x = x + self.block.attn.proj(mixed.transpose(1, 2).reshape(batch, count, dim))
        x = x + self.block.mlp(self.block.norm2(x))
        return self.norm(x[:, : 1 + PARTS])

    @torch.no_grad()
    def _seen(self, q: Tensor, k: Tensor) -> Tensor:
        """0 where a token may look and minus infinity where not, (B, 1, T, T)."""
        parts = q[:, :, 1 : 1 + PARTS].transpose(1, 2).flatten(2)
        patches = k[:, :, 1 + PARTS :].transpose(1, 2).flatten(2)
        owner = dealt(F.normalize(parts, dim=2) @ F.normalize(patches, dim=2).transpose(1, 2))
        batch, count = len(q), q.shape[2]
        mask = torch.zeros(batch, 1, count, count, dtype=q.dtype, device=q.device)
        own = torch.arange(PARTS, device=q.device)[None, :, None] == owner[:, None]
        hidden = torch.zeros_like(own, dtype=q.dtype).masked_fill(~own, -torch.inf)
        mask[:, 0, 1 : 1 + PARTS, 1 + PARTS :] = hidden
        others = torch.eye(PARTS, dtype=q.dtype, device=q.device)
        mask[:, 0, 1 : 1 + PARTS, 1 : 1 + PARTS] = torch.where(others > 0, 0.0, -torch.inf)
        mask[:, 0, 1 : 1 + PARTS, 0] = -torch.inf
        return mask


def dealt(likeness: Tensor) -> Tensor:
    """The part each patch goes to, (B, N), by evened-out likeness (B, parts, N)."""
    plan = (likeness.float() / TEMPERATURE).softmax(dim=1)
    for _ in range(ROUNDS):
        plan = plan / plan.sum(dim=2, keepdim=True)
        plan = plan / plan.sum(dim=1, keepdim=True)
    return plan.argmax(dim=1)


class Read(nn.Module):
    """Pooling: one of the tokens that come out of the last block."""

    def __init__(self, last: AlignedBlock, token: int) -> None:
        super().__init__()
        self._last = (last,)  # of the network; all heads share it
        self.token = token

    def forward(self, x: Tensor) -> Tensor:
        """(B, 2C, h, w) to (B, C)."""
        return self._last[0](as_tokens(x))[:, self.token]


def make(config: ModelConfig, identities: int, *, pretrained: bool) -> PeerNetwork:
    """All blocks but the last as trunk, the aligned one, six heads."""
    trunk = vit_trunk(config)
    dim = trunk.channels // 2
    last = AlignedBlock(dim)
    for part in (trunk, last):
        part.apply(initialise)
    names = ("global", *(f"part{i + 1}" for i in range(PARTS)))
    heads = {name: Token(dim, Read(last, i), identities) for i, name in enumerate(names)}
    if pretrained:
        load_vit(config, trunk, {"aligned": last})
    return PeerNetwork(trunk, heads, layers=trunk.stages[1:], stems={"aligned": last})


PEER = Peer(
    make,
    paper="Zhu et al., arXiv 2104.00921",
    reads=frozenset({"stride", "weights"}),
    trunks=tuple(DEPTHS),
    in_place_of=AT_BUDGET,
    recipe={"loss.center_weight": 0.0, "loss.label_smoothing": 0.0},
)
