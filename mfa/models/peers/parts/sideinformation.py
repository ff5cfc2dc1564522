"""SIE: the side information embedding of a picture's camera (He et al., ICCV 2021).

From the paper: one learned vector a camera, times a weight (3.0 in the authors' settings), added to
every token before the first block. Ours: where the camera is not told, or is none of those trained
on, the mean of the learned vectors stands in for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

WEIGHT = 3.0


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

        Args:
            x: the map.
            cameras: (B,) as the training set numbers them; ``None`` where they are not known.
        """
        vectors = WEIGHT * self.of(cameras)
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
