"""What every network is: a trunk, named heads, and one record per forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.models.heads import Head
from mfa.models.trunk import LAYERS, Trunk
from mfa.records import Branch, Output

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ReidNetwork(nn.Module):
    """The interface of all networks; ``MFA`` and the compared methods are its kinds.

    Images come in [0, 1] and are normalised here, out of place, so that nothing outside needs the
    mean and the standard deviation.

    Attributes:
        trunk: images to the trunk map.
        heads: branches by name, in descriptor order.
        layers: names of the maps that ``map_at`` and ``forward_from`` understand.
        stripes: (top, bottom) in shares of the height for each branch that belongs to a stripe.
    """

    trunk: Trunk
    mean: Tensor
    std: Tensor

    def __init__(
        self, trunk: Trunk, heads: Mapping[str, Head], *, layers: tuple[str, ...] = LAYERS
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleDict(heads)
        self.layers = layers
        self.stripes = {name: head.stripe.box for name, head in heads.items() if head.stripe}
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1), persistent=False)

    @property
    def widths(self) -> dict[str, int]:
        """Columns of the descriptor that each branch fills, in order."""
        return {name: head.width for name, head in self.named_heads()}

    @property
    def pooled_widths(self) -> dict[str, int]:
        """Length of each branch's pooled vector, in order."""
        return {name: head.pooled_width for name, head in self.named_heads()}

    def named_heads(self) -> list[tuple[str, Head]]:
        """The heads with their names, typed."""
        return [(name, head) for name, head in self.heads.items() if isinstance(head, Head)]

    def learn_cameras(self, cameras: Sequence[int]) -> None:
        """Make an embedding of each of the training set's cameras; only for a network with SIE."""
        raise NotImplementedError

    def forward(self, images: Tensor, cameras: Tensor | None = None) -> Output:
        """Images (B, 3, H, W) in [0, 1] to every branch's record and the descriptor.

        ``cameras`` (B,), as the training set numbers them, count for a network with SIE alone; see
        ``mfa.models.peers.transreid``.
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
        branches = self.read_branches(trunk)
        whole = torch.cat([branch.embedding for branch in branches.values()], dim=1)
        return Output(trunk, branches, F.normalize(whole, dim=1))

    def read_branches(self, trunk: Tensor) -> dict[str, Branch]:
        """Every branch's record from the trunk map; a stem that heads share runs once."""
        maps: dict[int, Tensor] = {}
        branches = {}
        for name, head in self.named_heads():
            if head.stem is None:
                branches[name] = head(trunk)
                continue
            key = id(head.stem)
            if key not in maps:
                maps[key] = head.stem(trunk)
            branches[name] = head.read(head.cut(maps[key]))
        return branches

    def map_at(self, layer: str, images: Tensor, cameras: Tensor | None = None) -> Tensor:
        """The map after a layer of the trunk, for explanations below the trunk map."""
        return self.trunk.up_to(layer, self.normalise(images))

    def forward_from(self, layer: str, x: Tensor) -> Tensor:
        """The trunk map from the map after ``layer``."""
        return self.trunk.after(layer, x)

    def extra_losses(self, output: Output, labels: Tensor) -> dict[str, Tensor]:
        """Weighted loss terms of the method's own, by name; most methods have none.

        ``output`` is of this network in train mode, ``labels`` (B,) are positions of identities.
        """
        return {}
