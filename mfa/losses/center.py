"""The center term: pictures of a person gather around one point."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class CenterLoss(nn.Module):
    """One center per identity and branch (Wen et al. 2016); name [paper], form [reconstructed].

    A center moves by ``rate * n / (1 + n)`` of the way to the mean of its n pictures in the batch.
    That share depends on n alone: not on the batch size, the number of branches, the loss weight
    or the learning rate, as it does where an optimiser moves the centers. The centers are buffers,
    without gradient. They start at zero, so that making them draws no random numbers.
    """

    def __init__(self, identities: int, widths: Mapping[str, int], rate: float = 0.5) -> None:
        """Make the centers, for pooled vectors as long as ``widths`` says by branch name.

        ``rate``, in (0, 1], is the greatest share of the way moved in one step.
        """
        super().__init__()
        self.rate = rate
        for name, width in widths.items():
            self.register_buffer(_key(name), torch.zeros(identities, width))

    def centers(self, name: str) -> Tensor:
        """The centers of branch ``name``, (identities, C)."""
        return self.get_buffer(_key(name))

    def forward(self, name: str, pooled: Tensor, labels: Tensor) -> Tensor:
        """Mean over the batch of the squared distance of ``pooled`` (B, C) to its own center.

        Without the factor 1/2 of Wen et al., as in BagTricks, whose weight 5e-4 belongs to it.
        """
        return (pooled - self.centers(name)[labels]).square().sum(dim=1).mean()

    @torch.no_grad()
    def update(self, name: str, pooled: Tensor, labels: Tensor) -> None:
        """Move the centers of the identities in the batch (Wen et al. 2016, eq. 4).

        delta_j = sum over the batch's pictures of j of (c_j - x_i) / (1 + n_j);
        c_j <- c_j - rate * delta_j. A batch with NaN or infinite vectors moves nothing.
        """
        centers = self.centers(name)
        sums = torch.zeros_like(centers).index_add_(0, labels, pooled.to(centers.dtype))
        ones = torch.ones(len(labels), dtype=centers.dtype, device=centers.device)
        counts = torch.zeros_like(centers[:, 0]).index_add_(0, labels, ones)
        delta = (counts[:, None] * centers - sums) / (1 + counts[:, None])
        centers.sub_(torch.where(delta.isfinite().all(), self.rate * delta, 0.0))


def _key(name: str) -> str:
    """Buffer name of a branch; a branch name may hold a dot, a buffer name may not."""
    return "centers_" + name.replace(".", "_")
