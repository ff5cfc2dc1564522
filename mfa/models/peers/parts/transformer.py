"""A vision transformer's block, and tokens laid out as a map (Dosovitskiy et al., ICLR 2021).

Between blocks the tokens travel as a map (B, 2C, h, w): the patches' tokens at their places, and
the class token, which has no place, under every pixel. So everything that reads maps reads these,
and the class token's part of a score is spread evenly over the picture.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.config import ModelConfig
from mfa.models.heads import Head
from mfa.models.trunk import Trunk
from mfa.records import Branch

HEADS = 12

DEPTHS = {"vit_b16": 12, "vit_depth10": 10, "vit_depth8": 8, "vit_depth4": 4}
"""Blocks of each trunk; the last of them belongs to the heads. Only the first is published."""

AT_BUDGET = {
    "resnet50": "vit_b16",
    "resnet34": "vit_depth10",
    "resnet18": "vit_depth8",
    "resnet10": "vit_depth4",
}
"""The transformer at the budget of a preset with a ResNet (ours)."""

GRIDS = {8: (16, 8), 12: (21, 10), 16: (16, 8)}
"""By stride the patches of a picture of 256x128; at 8 about those of one of half of that (ours)."""


Seen = Callable[[Tensor, Tensor], Tensor]
"""Queries and keys (B, heads, N, C') to what is added to their products, (B, 1, N, N)."""


class Attention(nn.Module):
    """Self-attention of several heads."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, seen: Seen | None = None) -> Tensor:
        """(B, N, C) to the same shape; ``seen`` says which tokens see which."""
        batch, count, dim = x.shape
        q, k, v = self.qkv(x).view(batch, count, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        mask = None if seen is None else seen(q, k)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.proj(mixed.transpose(1, 2).reshape(batch, count, dim))


class Block(nn.Module):
    """Attention and MLP, each on normalised tokens and added to them."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        fc1, fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        self.mlp = nn.Sequential(OrderedDict(fc1=fc1, gelu=nn.GELU(), fc2=fc2))

    def forward(self, x: Tensor, seen: Seen | None = None) -> Tensor:
        """(B, N, C) to the same shape; ``seen`` as for ``Attention``."""
        x = x + self.attn(self.norm1(x), seen)
        return x + self.mlp(self.norm2(x))


class OnMap(Block):
    """A block between maps."""

    def forward(self, x: Tensor, seen: Seen | None = None) -> Tensor:
        """(B, 2C, h, w) to the same shape."""
        return as_map(super().forward(as_tokens(x), seen), x.shape[2], x.shape[3])


class Patches(nn.Module):
    """Picture to tokens: patches of 16 pixels, the class token, positions added.

    A stride below 16 lets patches overlap. Positions are learned on one grid a stride and
    interpolated to the picture's.
    """

    SIZE = 16

    def __init__(self, dim: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, self.SIZE, stride=stride)
        self.cls_token = nn.Parameter(torch.zeros(1, dim, 1, 1))
        self.cls_position = nn.Parameter(torch.zeros(1, dim, 1, 1))
        self.position = nn.Parameter(torch.zeros(1, dim, *GRIDS[stride]))
        for parameter in (self.cls_token, self.cls_position, self.position):
            nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 2C, h, w)."""
        x = self.proj(images)
        position: Tensor = self.position
        if x.shape[2:] != position.shape[2:]:
            position = F.interpolate(position, size=x.shape[2:], mode="bilinear")
        cls = (self.cls_token + self.cls_position).expand(*x.shape)
        return torch.cat([x + position, cls], dim=1)


class Read(nn.Module):
    """Pooling: one of the tokens that come out of the last block."""

    def __init__(self, last: nn.Module, token: int = 0) -> None:
        super().__init__()
        self._last = (last,)  # of the network; several heads may share one
        self.token = token

    def forward(self, x: Tensor) -> Tensor:
        """(B, 2C, h, w) to (B, C)."""
        return self._last[0](self.tokens(x))[:, self.token]

    def tokens(self, x: Tensor) -> Tensor:
        """What the last block gets, (B, 1 + N, C)."""
        return as_tokens(x)


class Token(Head):
    """A branch; its map shows the patches alone."""

    def read(self, branch_map: Tensor, guide: Tensor | None = None) -> Branch:
        """As every head, without the class token's half of the map in the record."""
        found = super().read(branch_map, guide)
        patches = branch_map[:, : branch_map.shape[1] // 2]
        return Branch(patches, found.pooled, found.embedding, found.logits, guide)


def vit_trunk(config: ModelConfig) -> Trunk:
    """Patches and all blocks but the last, which the heads read; its map has 2C channels."""
    dim = HEADS * config.width
    blocks = {f"block{i + 1}": OnMap(dim) for i in range(DEPTHS[config.trunk] - 1)}
    return Trunk({"patches": Patches(dim, config.stride), **blocks}, 2 * dim)


def initialise(*modules: nn.Module) -> None:
    """Draw the linear layers as the papers do."""
    for module in modules:
        for part in module.modules():
            if isinstance(part, nn.Linear):
                nn.init.trunc_normal_(part.weight, std=0.02)
                nn.init.zeros_(part.bias)


def as_tokens(x: Tensor) -> Tensor:
    """A map (B, 2C, h, w) to tokens (B, 1 + h w, C), the class token first."""
    patches, cls = x.chunk(2, dim=1)
    return torch.cat([cls.mean(dim=(2, 3))[:, None], patches.flatten(2).transpose(1, 2)], dim=1)


def as_map(tokens: Tensor, height: int, width: int) -> Tensor:
    """Tokens (B, 1 + h w, C) to a map (B, 2C, h, w)."""
    patches = tokens[:, 1:].transpose(1, 2).reshape(tokens.shape[0], -1, height, width)
    cls = tokens[:, 0, :, None, None].expand_as(patches)
    return torch.cat([patches, cls], dim=1)
