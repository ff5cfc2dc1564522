"""What a training step is given: augmented images, labels, and what else belongs to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mfa.config import Config
from mfa.datasets.loading.augment import augment, to_unit
from mfa.datasets.loading.cache import cache_folder
from mfa.datasets.loading.images import LoadedImages, batches, load_images
from mfa.datasets.loading.sampler import make_sampler
from mfa.errors import InputError
from mfa.processes import ProcessGroup
from mfa.progress import remark
from mfa.records import ReidDataset
from mfa.runs.side_information import cameras_to_learn
from mfa.training.distillation import Teacher
from mfa.training.transfer import one_ahead, send


@dataclass(frozen=True)
class Batch:
    """One batch, on the device.

    Attributes:
        indices: positions of the images among those that training can read.
        images: (B, 3, H, W) in [0, 1].
        labels: (B,) positions of the identities.
        targets: (B, D) the teacher's features of the images; ``None`` without a teacher.
        cameras: (B,) as the dataset numbers them; ``None`` where the network does not use them.
    """

    indices: Sequence[int]
    images: Tensor
    labels: Tensor
    targets: Tensor | None = None
    cameras: Tensor | None = None


class TrainingBatches:
    """The batches of each epoch; they follow from the seed, the epoch and the step alone.

    Attributes:
        images: the training list's images that can be read.
        labels: (N,) position of the identity of each image.
        identities: number of identities.
        cameras: numbers of the cameras that the network learns.
        targets: (N, D) the teacher's features; ``None`` without a teacher.
    """

    def __init__(
        self,
        config: Config,
        data: ReidDataset,
        device: torch.device,
        ranks: ProcessGroup,
        cache: Path | None,
        teacher: Teacher | None = None,
    ) -> None:
        """Read the images."""
        self._config, self._device, self._rank = config, device, ranks.rank
        self.images = training_images(config, data, cache)
        pids = sorted({sample.pid for sample in self.images.samples})
        label_of = {pid: label for label, pid in enumerate(pids)}
        self.labels = torch.tensor([label_of[sample.pid] for sample in self.images.samples])
        self.identities = len(pids)
        self.cameras = cameras_to_learn(config.model, self.images.samples)
        camids = torch.tensor([sample.camid for sample in self.images.samples])
        self._camids = camids if self.cameras else None
        self.targets = None if teacher is None else teacher.targets(self.images.samples)
        single = int((self.labels.bincount() == 1).sum())
        if ranks.writes and single and config.data.sampling == "pk" and config.loss.triplet_weight:
            remark(
                f"{single} of {len(pids)} identities have one training picture; its copies are its "
                "positives, from which the triplet loss learns nothing"
            )
        self.sampler = make_sampler(
            self.labels.tolist(), config.data, seed=config.seed, rank=ranks.rank, world=ranks.world
        )

    def steps(self, epoch: int) -> int:
        """Number of batches of an epoch; it varies a little with the draw."""
        self.sampler.set_epoch(epoch)
        return len(self.sampler)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, counted from 1."""
        self.sampler.set_epoch(epoch)
        loader = batches(self.images, self.sampler, self._config.data.workers)

        def prepare(loaded: tuple[int, tuple[Sequence[int], Tensor]]) -> Batch:
            step, (indices, pixels) = loaded
            return self._batch(indices, pixels, epoch, step)

        return one_ahead(enumerate(loader), prepare, self._device)

    def first(self) -> Batch:
        """The first batch of the training."""
        self.sampler.set_epoch(1)
        indices = next(iter(self.sampler))
        return self._batch(indices, self.images.batch(indices), 1, 0)

    def _batch(self, indices: Sequence[int], pixels: Tensor, epoch: int, step: int) -> Batch:
        words = np.random.SeedSequence([self._config.seed, epoch, step, self._rank])
        generator = torch.Generator().manual_seed(int(words.generate_state(1)[0]))
        images = augment(to_unit(send(pixels, self._device)), self._config.data, generator)
        images = images.contiguous(memory_format=torch.channels_last)
        targets, cameras = (
            None if values is None else send(values[list(indices)], self._device)
            for values in (self.targets, self._camids)
        )
        labels = send(self.labels[list(indices)], self._device)
        return Batch(indices, images, labels, targets, cameras)


def training_images(config: Config, data: ReidDataset, cache: Path | None) -> LoadedImages:
    """The training list's images at the configured size."""
    if not data.train:
        raise InputError(f"{data.name} has no training pictures; it can only be evaluated on")
    where = (cache or cache_folder(data.root)) if config.data.cache else None
    return load_images(data.train, height=config.data.height, width=config.data.width, cache=where)
