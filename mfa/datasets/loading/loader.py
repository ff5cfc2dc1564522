"""Whole batches of decoded pictures for training."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mfa.datasets.loading.pictures import Pictures
from mfa.datasets.loading.sampler import BatchSampler


class _Batches(Dataset[tuple[list[int], Tensor]]):
    """Whole batches by their list of indices, so that a cache is read once a batch."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures

    def __getitem__(self, indices: Sequence[int]) -> tuple[list[int], Tensor]:
        return list(indices), self.pictures.batch(indices)


def batches(
    pictures: Pictures, sampler: BatchSampler, workers: int
) -> DataLoader[tuple[list[int], Tensor]]:
    """A loader of (indices, pixels) over the sampler's batches."""
    return DataLoader(
        _Batches(pictures),
        batch_size=None,
        sampler=sampler,
        num_workers=workers,
        timeout=300 if workers else 0,  # a stuck worker ends in an error, not in silence
        generator=torch.Generator(),  # else every epoch draws from the caller's random state
    )
