"""TransReID (He et al., TransReID: Transformer-based Object Re-Identification, ICCV 2021).

From the paper: ViT-B/16 from ImageNet; the last block twice, one for the global branch, one for the
jigsaw branch (JPM), which shifts the patches by 5, shuffles them in 2 groups and deals them into 4
parts, each read with the class token; SIE, a learned vector of the picture's camera in every token
(``model.sie``); BNNeck, identity and triplet loss on every branch.

With SIE a descriptor is of picture and camera. The mean of the learned vectors stands in (ours)
where the camera is unknown, as of uploaded pictures, and where it is another dataset's, which bears
the same numbers without being the same camera.

The authors' code departs from the paper where patches are dealt; ``model.authors_code`` follows
it, so that their weights give their vectors.

Simplified: all five branches weigh alike in loss and descriptor, where the paper lets the four
parts together weigh as much as the global one; its rate and SGD are not in the recipe, and
``imagenet`` is torchvision's ViT-B/16 where the paper's is timm's, which a path may name.

``width`` 64 is the ViT-B's 768 (12 heads of it); ``trunk`` sets the depth. ``stride`` 16 is the
paper's plain one; at 12, its best, patches overlap, as at 8 (ours, for small inputs).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.models.heads import Head
from mfa.models.peers.parts.peer import Peer, PeerNetwork
from mfa.models.peers.parts.transformer import (
    AT_BUDGET,
    DEPTHS,
    GRIDS,
    Block,
    Read,
    Token,
    as_tokens,
    initialise,
    vit_trunk,
)
from mfa.models.peers.parts.vitweights import load_vit
from mfa.models.trunk import Trunk

PARTS = 4
SHIFT = 5
GROUPS = 2
SIE_WEIGHT = 3.0
"""Of a camera's vector, in the authors' settings."""


class SideInformation(nn.Module):
    """Adds the vector of each picture's camera to its tokens.

    Attributes:
        embedding: (cameras, C), in the order of ``ids``.
        ids: (cameras,) the cameras as the training set numbers them. Not in the state: a checkpoint
            keeps them among its facts, since the network is built by them.
    """

    ids: Tensor

    def __init__(self, cameras: Sequence[int], dim: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.zeros(len(cameras), dim))
        nn.init.trunc_normal_(self.embedding, std=0.02)
        self.register_buffer("ids", torch.tensor(list(cameras)), persistent=False)

    def forward(self, x: Tensor, cameras: Tensor | None) -> Tensor:
        """Tokens as a map (B, 2C, h, w), patches and class token, to the same with SIE.

        ``cameras`` (B,) are as the training set numbers them, ``None`` where not known.
        """
        vectors = SIE_WEIGHT * self.of(cameras)
        return x + torch.cat([vectors, vectors], dim=1)[..., None, None]

    def of(self, cameras: Tensor | None) -> Tensor:
        """The vector of each camera (B, C), the mean for one not trained on; (1, C) for None."""
        mean = self.embedding.mean(dim=0, keepdim=True)
        if cameras is None:
            return mean
        same = cameras.to(self.ids)[:, None] == self.ids
        # An index, not a product with the matrix, which autocast would round.
        own = self.embedding[same.int().argmax(dim=1)]
        return torch.where(same.any(dim=1, keepdim=True), own, mean)


class LastBlock(nn.Module):
    """The last block and the last normalisation."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.block = Block(dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) to the same shape."""
        return self.norm(self.block(tokens))


class ReadPart(Read):
    """Pooling: the class token after the last block, having seen a part of the patches."""

    def __init__(self, last: LastBlock, part: int, authors_code: bool) -> None:
        super().__init__(last)
        self.part = part
        self.authors_code = authors_code

    def tokens(self, x: Tensor) -> Tensor:
        """The class token and the part's patches."""
        tokens = as_tokens(x)
        part = dealt(int(tokens.shape[1]) - 1, self.authors_code)[self.part]
        mine = torch.tensor(part, device=x.device)
        return torch.cat([tokens[:, :1], tokens[:, 1:][:, mine]], dim=1)


class TransReID(PeerNetwork):
    """The network; ``sie`` is ``None`` as long as there are no cameras to learn."""

    sie: SideInformation | None

    def __init__(
        self, trunk: Trunk, heads: Mapping[str, Head], stems: Mapping[str, nn.Module]
    ) -> None:
        super().__init__(trunk, heads, layers=trunk.stages[1:], stems=stems)
        self.register_module("sie", None)

    def learn_cameras(self, cameras: Sequence[int]) -> None:
        """An embedding of each of the training set's cameras."""
        self.sie = SideInformation(cameras, self.trunk.channels // 2)

    def trunk_map(self, images: Tensor, cameras: Tensor | None = None) -> Tensor:
        """Images in [0, 1], with their cameras where known, to the trunk map (B, 2C, h, w)."""
        return self.map_at(self.layers[-1], images, cameras)

    def map_at(self, layer: str, images: Tensor, cameras: Tensor | None = None) -> Tensor:
        """The map after a block, for explanations below the trunk map."""
        tokens = self.trunk.up_to("patches", self.normalise(images))
        if self.sie is not None:
            tokens = self.sie(tokens, cameras)
        return self.trunk.run(tokens, self.layers[: self.layers.index(layer) + 1])


def dealt(count: int, authors_code: bool = False) -> list[list[int]]:
    """Which patches each part gets: shifted, shuffled in groups, dealt out in order.

    With ``authors_code`` the fifth patch comes first, where a shift by five starts with the sixth;
    of an odd number the last but one counts twice; all parts have the length of the shortest.
    """
    shift = SHIFT - authors_code
    shifted = [(i + shift) % count for i in range(count)]
    if authors_code and count % GROUPS:
        shifted.append(shifted[-2])
    half = math.ceil(count / GROUPS)
    groups = [shifted[i : i + half] for i in range(0, len(shifted), half)]
    mixed = [group[i] for i in range(half) for group in groups if i < len(group)]
    if authors_code:
        count -= count % PARTS
    cuts = [round(count * part / PARTS) for part in range(PARTS + 1)]
    return [mixed[first:last] for first, last in itertools.pairwise(cuts)]


def make(config: ModelConfig, identities: int) -> PeerNetwork:
    """All blocks but the last as trunk, the last one twice, five heads."""
    trunk = vit_trunk(config)
    dim = trunk.channels // 2
    whole, jigsaw = LastBlock(dim), LastBlock(dim)
    initialise(trunk, whole, jigsaw)
    heads = {"global": Token(dim, Read(whole), identities)}
    for i in range(PARTS):
        pool = ReadPart(jigsaw, i, config.authors_code)
        heads[f"part{i + 1}"] = Token(dim, pool, identities)
    stems = {"whole": whole, "jigsaw": jigsaw}
    load_vit(config, trunk, stems)
    return TransReID(trunk, heads, stems)


PEER = Peer(
    make,
    paper="He et al., ICCV 2021, arXiv 2102.04378",
    reads=frozenset({"width", "weights", "sie", "authors_code"}),
    trunks=tuple(DEPTHS),
    strides=tuple(GRIDS),
    in_place_of=AT_BUDGET,
    recipe={"model.sie": True, "loss.center_weight": 0.0, "loss.label_smoothing": 0.0},
    parameters_m=100.0,
    source="quoted for the authors' network",
    counted="theirs keeps the ViT's own last block beside its two copies, unused: 7.1 million more",
)
