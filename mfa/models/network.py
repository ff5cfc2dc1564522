"""The network: one trunk, named heads, the same records in train and eval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.errors import InputError
from mfa.models.backbones import LAYERS, Trunk
from mfa.models.heads import Head, stripe_rows
from mfa.models.pooling import GAP
from mfa.records import Output

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ReidNetwork(nn.Module):
    """MFA, its baseline and its ablations: ``trunk`` map to ``heads`` by name.

    Images come in [0, 1] and are normalised here, out of place, so nothing outside needs the mean
    and the standard deviation.

    Attributes:
        trunk: images to the trunk map.
        heads: branches by name, in descriptor order.
        stripes: (top, bottom) in shares of the height for each branch that has a guide.
        guide_pooling: ``gap`` [paper] or ``gem`` (the branch's own pooling; ours).
    """

    layers: tuple[str, ...] = LAYERS
    """Names of the deeper maps ``map_at`` and ``forward_from`` understand."""

    mean: Tensor
    std: Tensor

    def __init__(self, trunk: Trunk, heads: Mapping[str, Head], *, guide_pooling: str) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleDict(heads)
        self.guide_pooling = guide_pooling
        local = [name for name in heads if name != "global"]
        self.stripes = {
            name: (i / len(local), (i + 1) / len(local)) for i, name in enumerate(local)
        }
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1), persistent=False)

    @property
    def widths(self) -> dict[str, int]:
        """Columns of the descriptor that each branch fills, in order."""
        return {name: head.width for name, head in self.named_heads()}

    def named_heads(self) -> list[tuple[str, Head]]:
        """The heads with their names, typed."""
        return [(name, head) for name, head in self.heads.items() if isinstance(head, Head)]

    def learn_cameras(self, cameras: Sequence[int]) -> None:
        """Make room for an embedding of each of the training set's cameras.

        Raises:
            InputError: always, but for networks with SIE.
        """
        raise InputError(
            f"{type(self).__name__} cannot be told which camera took a picture; model.sie is for "
            "the network transreid"
        )

    def forward(self, images: Tensor, cameras: Tensor | None = None) -> Output:
        """Images (B, 3, H, W) in [0, 1] to every branch's record and the descriptor.

        ``cameras`` (B,), as the training set numbers them, count for a network with SIE alone; see
        ``mfa.models.peers.parts.sideinformation``.
        """
        return self.read_trunk(self.trunk_map(images, cameras))

    def trunk_map(self, images: Tensor, cameras: Tensor | None = None) -> Tensor:
        """Images in [0, 1] to the trunk map (B, C, h, w)."""
        return self.trunk(self.normalise(images))

    def normalise(self, images: Tensor) -> Tensor:
        """ImageNet mean and standard deviation, leaving the caller's tensor alone."""
        return (images - self.mean) / self.std

    def read_trunk(self, trunk: Tensor) -> Output:
        """Everything from the trunk map on."""
        branches = {
            name: head(trunk, self._guide(name, head, trunk)) for name, head in self.named_heads()
        }
        whole = torch.cat([branch.embedding for branch in branches.values()], dim=1)
        return Output(trunk, branches, F.normalize(whole, dim=1))

    def map_at(self, layer: str, images: Tensor, cameras: Tensor | None = None) -> Tensor:
        """The map after a layer of the trunk, for explanations below the trunk map."""
        return self.trunk.up_to(layer, self.normalise(images))

    def forward_from(self, layer: str, x: Tensor) -> Tensor:
        """The trunk map from the map after ``layer``."""
        return self.trunk.after(layer, x)

    def _guide(self, name: str, head: Head, trunk: Tensor) -> Tensor | None:
        if name not in self.stripes:
            return None
        number = list(self.stripes).index(name)
        source = head.guide_source(trunk)
        stripe = source[:, :, stripe_rows(source.shape[2], len(self.stripes), number)]
        return GAP()(stripe) if self.guide_pooling == "gap" else head.pool(stripe)
