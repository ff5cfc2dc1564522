"""The center term: pictures of a person gather around one point."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, distributed, nn

from mfa.errors import InputError


class CenterLoss(nn.Module):
    """One center for each identity and branch, moved by counting, not by an optimiser.

    Wen et al. 2016; name [paper], form [reconstructed]. The centers are buffers: they are saved
    with the training state, are no parameters, and get no gradient. They start at zero, so that
    making them draws no random numbers.

    A center moves by ``rate * n / (1 + n)`` of the way to the mean of its n pictures in the batch.
    That share depends on n alone: not on the batch size, the number of branches, the loss weight
    or the learning rate, as it does where an optimiser moves the centers. Showing a batch twice
    over is not quite the same as once, n / (1 + n) becomes 2n / (1 + 2n), and never passes
    ``rate``.
    """

    def __init__(self, identities: int, widths: Mapping[str, int], rate: float = 0.5) -> None:
        """Make the centers.

        Args:
            identities: number of people in the training set.
            widths: length of the pooled vector by branch name.
            rate: greatest share of the way moved in one step, in (0, 1].

        Raises:
            InputError: the rate is not in (0, 1].
        """
        super().__init__()
        if not 0 < rate <= 1:
            raise InputError(f"center_rate is a share of the way, over 0 up to 1, got {rate}")
        self.rate = rate
        for name, width in widths.items():
            self.register_buffer(_key(name), torch.zeros(identities, width))

    def centers(self, name: str) -> Tensor:
        """The centers of branch ``name``, (identities, C)."""
        return self.get_buffer(_key(name))

    def forward(self, name: str, pooled: Tensor, labels: Tensor) -> Tensor:
        """Mean over the batch of the squared distance to the own center.

        Without the factor 1/2 of Wen et al., as in BagTricks, whose weight 5e-4 belongs to it.

        Args:
            name: the branch.
            pooled: (B, C).
            labels: (B,) int64.
        """
        return (pooled - self.centers(name)[labels]).square().sum(dim=1).mean()

    @torch.no_grad()
    def update(self, name: str, pooled: Tensor, labels: Tensor) -> None:
        """Move the centers of the identities in the batch (Wen et al. 2016, eq. 4).

        delta_j = sum over the batch's pictures of j of (c_j - x_i) / (1 + n_j);
        c_j <- c_j - rate * delta_j. With several processes the sums and counts are added up first,
        so that all processes hold the same centers, those of the whole batch. A batch with NaN or
        infinite vectors moves nothing: one would spoil the centers for good.

        Args:
            name: the branch.
            pooled: (B, C).
            labels: (B,) int64.
        """
        centers = self.centers(name)
        sums = torch.zeros_like(centers).index_add_(0, labels, pooled.to(centers.dtype))
        ones = torch.ones(len(labels), dtype=centers.dtype, device=centers.device)
        counts = torch.zeros_like(centers[:, 0]).index_add_(0, labels, ones)
        if distributed.is_available() and distributed.is_initialized():
            distributed.all_reduce(sums)
            distributed.all_reduce(counts)
        delta = (counts[:, None] * centers - sums) / (1 + counts[:, None])
        centers.sub_(torch.where(delta.isfinite().all(), self.rate * delta, 0.0))


def _key(name: str) -> str:
    """Buffer name of a branch; a branch name may hold a dot, a buffer name may not."""
    return "centers_" + name.replace(".", "_")
