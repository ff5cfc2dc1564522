"""Which pictures make a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from mfa.config import DataConfig
from mfa.errors import InputError


class BatchSampler(Sampler[list[int]], ABC):
    """Batches of indices that follow from the seed and the epoch alone."""

    def __init__(self) -> None:
        self.epoch = 0
        self._planned: tuple[int, list[list[int]]] | None = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches ``iter`` gives."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._plan())

    def __len__(self) -> int:
        return len(self._plan())

    def _plan(self) -> list[list[int]]:
        if self._planned is None or self._planned[0] != self.epoch:
            self._planned = (self.epoch, self._draw())
        return self._planned[1]

    @abstractmethod
    def _draw(self) -> list[list[int]]:
        """The epoch's batches."""


def make_sampler(
    labels: Sequence[int], config: DataConfig, *, seed: int, rank: int = 0, world: int = 1
) -> BatchSampler:
    """The sampler that ``config.sampling`` names.

    Raises:
        InputError: the training list is too small for a batch.
    """
    pids, images = config.pids, config.images
    if config.sampling == "shuffled":
        size = pids * images
        return ShuffledBatchSampler(len(labels), size=size, seed=seed, rank=rank, world=world)
    return PKBatchSampler(labels, pids=pids, images=images, seed=seed, rank=rank, world=world)


class ShuffledBatchSampler(BatchSampler):
    """All pictures in a new order each epoch, cut into batches; an unfilled one is left out."""

    def __init__(self, count: int, *, size: int, seed: int = 0, rank: int = 0, world: int = 1):
        super().__init__()
        self.count, self.size, self.seed, self.rank, self.world = count, size, seed, rank, world
        if count < size * world:
            raise InputError(
                f"a batch takes {size * world} pictures but the training list has {count}",
                "lower data.pids or data.images",
            )

    def _draw(self) -> list[list[int]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.count).tolist()
        step = self.size * self.world
        starts = range(self.rank * self.size, len(order) - len(order) % step, step)
        return [order[start : start + self.size] for start in starts]


class PKBatchSampler(BatchSampler):
    """Batches of P identities x K pictures; an epoch sees every identity's pictures about once.

    Each identity's pictures are shuffled and cut into groups of K (an identity with fewer than K
    repeats some of its own). Batches draw P different identities that still have groups, until
    fewer than P identities are left. Everything follows from (seed, epoch), so that a resumed
    run continues as the uninterrupted one would.

    Several processes share a batch of P * world identities. Each takes P whole identities of it, so
    that each has batches of P x K and all have the same number of batches.
    """

    def __init__(
        self,
        labels: Sequence[int],
        *,
        pids: int,
        images: int,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        super().__init__()
        self.pids, self.images, self.seed, self.rank, self.world = pids, images, seed, rank, world
        self.by_label: dict[int, list[int]] = {}
        for index, label in enumerate(labels):
            self.by_label.setdefault(label, []).append(index)
        if len(self.by_label) < pids * world:
            raise InputError(
                f"a batch takes {pids * world} identities but the training list has "
                f"{len(self.by_label)}",
                "lower data.pids",
            )

    def _draw(self) -> list[list[int]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        groups = {label: self._groups(indices, rng) for label, indices in self.by_label.items()}
        taken = self.pids * self.world
        batches = []
        while len(groups) >= taken:
            chosen = rng.choice(list(groups), taken, replace=False)
            mine = chosen[self.rank * self.pids : (self.rank + 1) * self.pids]
            batches.append([index for label in mine for index in groups[label][-1]])
            for label in chosen:
                groups[label].pop()
                if not groups[label]:
                    del groups[label]
        return batches

    def _groups(self, indices: list[int], rng: np.random.Generator) -> list[list[int]]:
        order = rng.permutation(indices).tolist()
        while len(order) < self.images:
            order.append(int(rng.choice(indices)))
        full = len(order) // self.images
        return [order[i * self.images : (i + 1) * self.images] for i in range(full)]
