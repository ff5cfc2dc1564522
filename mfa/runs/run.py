"""A run: a trained network and what made it, opened from disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from mfa.config import Config
from mfa.datasets.loading.augment import to_unit
from mfa.datasets.loading.images import LoadedImages
from mfa.datasets.loading.threads import ahead
from mfa.errors import InputError, printable, reason
from mfa.files import found_above
from mfa.models import ReidNetwork, build_model
from mfa.models.weights import RELEASED, released_file
from mfa.progress import Progress, silent
from mfa.records import Output, ReidDataset, Sample
from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint, weights_hash
from mfa.runs.device import Precision, autocast, check_precision, choose_device, compiled
from mfa.runs.history import read_history

BATCH = 64
"""Pictures per forward pass, where nothing else is asked for."""


@dataclass(frozen=True)
class Run:
    """A trained (or training) network and what made it.

    Attributes:
        path: its folder; ``None`` where nothing is on disk.
        checkpoint: configuration, epoch, facts and weights.
        device: where its network computes.
        precision: in what number format: float32, or a 16-bit one under autocast.
        compile: whether ``embed`` runs whole batches through a network that ``torch.compile``
            translated at the first of them.
    """

    path: Path | None
    checkpoint: Checkpoint
    device: torch.device = field(default_factory=choose_device)
    precision: Precision = "float32"
    compile: bool = False

    @property
    def name(self) -> str:
        """The folder's name, ``printable``, or ``untrained``."""
        return "untrained" if self.path is None else printable(self.path.name)

    @property
    def config(self) -> Config:
        """The configuration it was trained with."""
        return self.checkpoint.config

    @cached_property
    def model(self) -> ReidNetwork:
        """The network in eval mode, on ``device``."""
        weights = self.checkpoint.part("model")
        try:
            with torch.device("meta"):  # compares shapes before memory is taken for them
                wanted = self._build().state_dict()
            for name in wanted.keys() & weights.keys():
                if wanted[name].shape != weights[name].shape:
                    raise ValueError(f"{name} has the shape {tuple(weights[name].shape)}")
            network = self._build()
            network.load_state_dict(weights)
        except (RuntimeError, ValueError, OverflowError) as error:
            raise InputError(
                f"the weights of {self.path or self.name} do not fit their configuration "
                f"({reason(error)})",
                "take a copy that is whole, or train again",
            ) from error
        return network.to(self.device).eval()

    def _build(self) -> ReidNetwork:
        return build_model(
            self.config.model,
            self.checkpoint.identities,
            cameras=self.checkpoint.cameras,
            pretrained=False,
        )

    def cameras_of(self, samples: Sequence[Sample], data: ReidDataset) -> Tensor | None:
        """(N,) cameras of samples of ``data``, as the network takes them (SIE).

        ``None`` where it takes none: it learned no cameras, or was trained on other data, whose
        camera 1 is another camera.
        """
        known = self.checkpoint.cameras
        if not known or self.checkpoint.facts.get("fingerprint") != data.fingerprint:
            return None
        return torch.tensor([sample.camid for sample in samples])

    def outputs(
        self, pictures: LoadedImages, data: ReidDataset, *, batch: int = BATCH
    ) -> Iterator[Output]:
        """Forward passes of all pictures in eval mode, ``batch`` at a time, without gradients.

        The network's mode is put back at the end, also after an exception.

        ``data`` is the dataset of the pictures; a network trained on it gets their cameras (SIE).
        """
        for images, cameras in self._batches(pictures, data, range(len(pictures)), batch):
            yield self._forward(self.model, images, cameras)

    def embed(
        self,
        pictures: LoadedImages,
        data: ReidDataset,
        *,
        rows: range | None = None,
        flip: bool = False,
        batch: int = BATCH,
        progress: Progress = silent,
    ) -> np.ndarray:
        """The branches' embeddings after BNNeck, concatenated, (N, D) float32, not normalised.

        Cosine distance normalises the whole, which gives the descriptor. Unnormalised, each branch
        can still be weighted.

        Args:
            pictures: to embed.
            data: their dataset; a network trained on it gets their cameras (SIE).
            rows: which of them; by default all.
            flip: take the mean with the embeddings of the mirrored pictures.
            batch: pictures per forward pass.
            progress: called with the completed fraction; an exception aborts the work.
        """
        rows = range(len(pictures)) if rows is None else rows
        found = [np.empty((0, sum(self.model.widths.values())), np.float32)]
        for number, (images, cameras) in enumerate(self._batches(pictures, data, rows, batch)):
            progress(number * batch / len(rows))
            # A translation is of one size: the last batch, if smaller, takes the network itself.
            network = self._compiled if self.compile and len(images) == batch else self.model
            features = self._forward(network, images, cameras).embedding.float()
            if flip:
                mirrored = self._forward(network, images.flip(3), cameras).embedding.float()
                features = (features + mirrored) / 2
            found.append(features.cpu().numpy())
        return np.concatenate(found)

    def _batches(
        self, pictures: LoadedImages, data: ReidDataset, rows: range, batch: int
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        cameras = self.cameras_of(pictures.samples, data)
        was_training = self.model.training
        self.model.eval()

        def ready(indices: range) -> tuple[range, Tensor]:
            images = pictures.batch(indices)
            return indices, images.contiguous(memory_format=torch.channels_last)

        try:
            starts = range(0, len(rows), batch)
            for indices, images in ahead(ready, (rows[start : start + batch] for start in starts)):
                # A thread has a current device of its own, so nothing is sent from there.
                seen_by = None if cameras is None else cameras[indices.start : indices.stop]
                cameras_there = None if seen_by is None else seen_by.to(self.device)
                yield to_unit(images.to(self.device)), cameras_there
        finally:
            self.model.train(was_training)

    def _forward(
        self, network: Callable[..., Any], images: Tensor, cameras: Tensor | None
    ) -> Output:
        with torch.inference_mode(), self.autocast():
            output: Output = network(images, cameras)
        return output

    @cached_property
    def _compiled(self) -> Callable[..., Any]:
        return compiled(self.model, freeze=True)

    def autocast(self) -> torch.autocast:
        """The context to call ``model`` in: without effect in float32."""
        return autocast(self.device, self.precision)

    @cached_property
    def hash(self) -> str:
        """Hash of the weights, for protocol cards."""
        return weights_hash(self.checkpoint.part("model"))

    @property
    def history(self) -> pd.DataFrame:
        """One row per epoch."""
        if self.path is None:
            raise InputError("a network with random weights has no history")
        return read_history(self.path)


def open_run(
    path: Path | str,
    device: torch.device | str | None = None,
    precision: str | None = None,
    *,
    compile: bool = False,
) -> Run:
    """Open a run folder, ``NAME`` as ``runs/NAME``, a checkpoint file or released weights by name.

    What is computed of released weights is kept in ``runs/NAME`` of the checkout they come with.

    Args:
        path: what to open.
        device: where its network computes; by default the GPU where there is one, else the CPU.
        precision: ``"float32"`` (the default), ``"bfloat16"`` or ``"float16"``.
        compile: translate the network with ``torch.compile`` for many pictures; see ``Run``.

    Raises:
        InputError: there is no complete run, no such device or no such precision.
    """
    place, kind = choose_device(device), check_precision(precision)
    folder = found_above(Path(path))
    if not folder.exists():
        folder = found_above(Path("runs") / path)
    if not folder.exists():
        folder = Path(path)
    if (folder / CHECKPOINT).is_file() or str(path) not in RELEASED:
        file = folder if folder.is_file() else folder / CHECKPOINT
        home = folder.with_suffix("") if folder.is_file() else folder
    else:
        file = released_file(str(path))
        checkout = file.parents[2]  # in an installed package there is none
        inside = (checkout / "pyproject.toml").is_file()
        home = (checkout if inside else Path()) / "runs" / file.stem
    return Run(home, load_checkpoint(file, only="model"), place, kind, compile)


def untrained(
    config: Config, device: torch.device | str | None = None, precision: str | None = None
) -> Run:
    """The network of ``config`` before any training, to hold a trained one against.

    Nothing is loaded into it, whatever ``config.model.weights`` says. ``device`` and ``precision``
    are those of ``open_run``.
    """
    place, kind = choose_device(device), check_precision(precision)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = build_model(config.model, pretrained=False)
    tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
    return Run(None, Checkpoint(config, 0, 0, tensors, {}), place, kind)
