"""TransReID (He et al., TransReID: Transformer-based Object Re-Identification, ICCV 2021).

From the paper: ViT-B/16 from ImageNet; the last block twice, one for the global branch, one for the
jigsaw branch (JPM), which shifts the patches by 5, shuffles them in 2 groups and deals them into 4
parts, each read with the class token; SIE, a learned vector of the picture's camera in every token
(``model.sie``); BNNeck, identity and triplet loss on every branch.

With SIE a descriptor is of picture and camera. Where the camera is not told (uploaded pictures), is
unknown, or is another dataset's, which bears the same numbers without being the same camera, the
mean of the learned vectors stands in (ours).

Simplified: all five branches weigh alike in loss and descriptor, where the paper lets the four
parts together weigh as much as the global one; its rate and SGD are not in the recipe, and
``imagenet`` is torchvision's ViT-B/16 where the paper's is timm's, which a path may name.

``width`` 64 is the ViT-B's 768 (12 heads of it); ``trunk`` sets the depth: resnet50 12 blocks,
resnet34 10, resnet18 8, resnet10 4 (ours, for two cores). ``stride`` 16 is the paper's plain one;
at 12, its best, patches overlap, as at 8 (ours, for small inputs).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.models.heads import Head
from mfa.models.peers.parts.peer import Peer, PeerHead, PeerNetwork
from mfa.models.peers.parts.sideinformation import SideInformation
from mfa.models.peers.parts.staged import Staged
from mfa.models.peers.parts.transformer import Block, OnMap, Patches, as_tokens
from mfa.models.peers.parts.vitweights import load_vit
from mfa.records import Branch

HEADS = 12
DEPTHS = {"resnet50": 12, "resnet34": 10, "resnet18": 8, "resnet10": 4}
PARTS = 4
SHIFT = 5
GROUPS = 2


class LastBlock(nn.Module):
    """The last block and the last normalisation."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.block = Block(dim, HEADS)
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) to the class token, (B, C)."""
        return self.norm(self.block(tokens))[:, 0]


class Read(nn.Module):
    """Pooling: the class token after the last block, having seen all patches or a part of them."""

    def __init__(self, last: LastBlock, part: int | None) -> None:
        super().__init__()
        self._last = (last,)  # of the network; parts share one
        self.part = part

    def forward(self, x: Tensor) -> Tensor:
        """(B, 2C, h, w) to (B, C)."""
        tokens = as_tokens(x)
        if self.part is not None:
            mine = torch.tensor(dealt(int(tokens.shape[1]) - 1)[self.part], device=x.device)
            tokens = torch.cat([tokens[:, :1], tokens[:, 1:][:, mine]], dim=1)
        return self._last[0](tokens)


class Token(PeerHead):
    """A branch; its map shows the patches alone."""

    def read(self, branch_map: Tensor, guide: Tensor | None = None) -> Branch:
        """As every head, without the class token's half of the map in the record."""
        found = super().read(branch_map, guide)
        patches = branch_map[:, : branch_map.shape[1] // 2]
        return Branch(patches, found.pooled, found.embedding, found.logits, guide)


class TransReID(PeerNetwork):
    """The network; ``sie`` is ``None`` as long as there are no cameras to learn."""

    sie: SideInformation | None

    def __init__(self, trunk: Staged, heads: Mapping[str, Head], **parts: Any) -> None:
        super().__init__(trunk, heads, **parts)
        self.register_module("sie", None)

    def learn_cameras(self, cameras: Sequence[int]) -> None:
        """An embedding of each of the training set's cameras."""
        dim = cast(Staged, self.trunk).channels // 2
        self.sie = SideInformation(cameras, dim)

    def trunk_map(self, images: Tensor, cameras: Tensor | None = None) -> Tensor:
        """Images in [0, 1], and where told their cameras, to the trunk map (B, 2C, h, w)."""
        return self.map_at(self.layers[-1], images, cameras)

    def map_at(self, layer: str, images: Tensor, cameras: Tensor | None = None) -> Tensor:
        """The map after a block, for explanations below the trunk map."""
        trunk = cast(Staged, self.trunk)
        tokens = trunk.up_to("patches", self.normalise(images))
        if self.sie is not None:
            tokens = self.sie(tokens, cameras)
        return trunk.run(tokens, self.layers[: self.layers.index(layer) + 1])


def dealt(count: int) -> list[list[int]]:
    """Which patches each part gets: shifted, shuffled in groups, dealt out in order."""
    shifted = [(i + SHIFT) % count for i in range(count)]
    half = math.ceil(count / GROUPS)
    groups = [shifted[i : i + half] for i in range(0, count, half)]
    mixed = [group[i] for i in range(half) for group in groups if i < len(group)]
    cuts = [round(count * part / PARTS) for part in range(PARTS + 1)]
    return [mixed[first:last] for first, last in itertools.pairwise(cuts)]


def make(config: ModelConfig, identities: int, *, pretrained: bool) -> PeerNetwork:
    """All blocks but the last as trunk, the last one twice, five heads."""
    dim = HEADS * config.width
    blocks = {f"block{i + 1}": OnMap(dim, HEADS) for i in range(DEPTHS[config.trunk] - 1)}
    trunk = Staged({"patches": Patches(dim, config.stride), **blocks}, 2 * dim)
    whole, jigsaw = LastBlock(dim), LastBlock(dim)
    for module in (*trunk.modules(), *whole.modules(), *jigsaw.modules()):
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)
    heads = {"global": Token(dim, Read(whole, None), identities)} | {
        f"part{i + 1}": Token(dim, Read(jigsaw, i), identities) for i in range(PARTS)
    }
    stems = {"whole": whole, "jigsaw": jigsaw}
    if pretrained:
        load_vit(config, trunk, stems)
    return TransReID(trunk, heads, layers=tuple(blocks), stems=stems)


PEER = Peer(
    make,
    paper="He et al., ICCV 2021, arXiv 2102.04378",
    recipe={"model.sie": True, "loss.center_weight": 0.0, "loss.label_smoothing": 0.0},
    parameters_m=100.0,
    source="quoted for the authors' network",
    counted="theirs keeps the ViT's own last block beside its two copies, unused: 7.1 million more",
)
