"""Pictures as tensors of one size: decoded on the fly, or once into a memory-mapped cache.

The cache itself is ``mfa.datasets.loading.cache``; this module alone imports PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mfa.datasets.loading.cache import CachedImages, cached_images
from mfa.datasets.loading.decode import decode, first_error
from mfa.datasets.loading.sampler import BatchSampler
from mfa.datasets.loading.threads import in_threads
from mfa.errors import InputError
from mfa.progress import remark
from mfa.records import Sample


class LoadedImages(Dataset[Tensor]):
    """The pictures of a list of samples, as 8-bit RGB tensors of one size.

    Picture i of these is row i of the features that are made of them.

    Attributes:
        samples: those that can be read, in the order given.
        positions: (N,) the ``ListPosition`` of each of them in the list that was given.
        left_out: (sample, why) of the others.
        height, width: of every picture, in pixels.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        broken: Mapping[int, str],
        size: tuple[int, int],
        cached: CachedImages | None,
    ) -> None:
        self.positions = np.array([i for i in range(len(samples)) if i not in broken], np.int64)
        self.samples = tuple(samples[i] for i in self.positions)
        self.left_out = tuple((samples[i], broken[i]) for i in sorted(broken))
        self.height, self.width = size
        self._cached = cached

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Tensor:
        """One picture, (3, H, W) uint8."""
        return torch.from_numpy(self._array(index))

    def batch(self, indices: Sequence[int]) -> Tensor:
        """Several pictures, (B, 3, H, W) uint8, in the order of ``indices``."""
        if self._cached is not None:
            return torch.from_numpy(self._cached.pixels[np.asarray(indices, dtype=np.int64)])
        if len(indices) == 0:
            return torch.empty((0, 3, self.height, self.width), dtype=torch.uint8)
        return torch.from_numpy(np.stack(list(in_threads(self._array, indices))))

    def _array(self, index: int) -> np.ndarray:
        if self._cached is not None:
            return np.array(self._cached.pixels[index])
        return decode(self.samples[index].path, self.height, self.width)


def load_images(
    samples: Sequence[Sample], *, height: int, width: int, cache: Path | None
) -> LoadedImages:
    """Make the pictures of ``samples`` ready for batches; broken files are known from here on.

    Pictures are resized bilinearly with antialiasing, not keeping their proportions, as the field
    does.

    Args:
        samples: any list of a dataset.
        height: of the result, in pixels.
        width: of the result, in pixels.
        cache: folder for decoded pictures (see ``mfa.datasets.loading.cache``); ``None`` decodes
            every time, and decodes everything once now to find the broken ones.

    Raises:
        InputError: none of the pictures can be read, or the disk has no room for the cache.
    """
    cached = cached_images(samples, height, width, cache) if samples and cache else None
    broken = _unreadable(samples) if cached is None else cached.broken
    if broken:
        remark(
            f"left out {len(broken)} of {len(samples)} pictures that cannot be read, first: "
            f"{broken[min(broken)]}"
        )
    return LoadedImages(samples, broken, (height, width), cached)


def _unreadable(samples: Sequence[Sample]) -> dict[int, str]:
    """Position to reason, of the samples that cannot be read."""
    errors = list(in_threads(first_error, [sample.path for sample in samples]))
    if samples and all(errors):
        raise InputError(f"none of the {len(samples)} pictures can be read: {errors[0]}")
    return {position: why for position, why in enumerate(errors) if why}


class _Batches(Dataset[tuple[list[int], Tensor]]):
    """Whole batches by their list of indices, so that a cache is read once per batch."""

    def __init__(self, images: LoadedImages) -> None:
        self.images = images

    def __getitem__(self, indices: Sequence[int]) -> tuple[list[int], Tensor]:
        return list(indices), self.images.batch(indices)


def batches(
    images: LoadedImages, sampler: BatchSampler, workers: int
) -> DataLoader[tuple[list[int], Tensor]]:
    """A loader of (indices, pixels) over the sampler's batches."""
    return DataLoader(
        _Batches(images),
        batch_size=None,
        sampler=sampler,
        num_workers=workers,
        timeout=300 if workers else 0,  # a stuck worker ends in an error, not in silence
        generator=torch.Generator(),  # else every epoch draws from the caller's random state
    )
