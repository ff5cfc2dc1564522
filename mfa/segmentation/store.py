"""Masks of a whole dataset: computed once, piece by piece, and kept beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mfa.errors import InputError
from mfa.files import atomic
from mfa.progress import Progress, silent
from mfa.records import ReidDataset, Sample, Split
from mfa.segmentation.landmarks import MODEL, SHA256, LandmarkModel
from mfa.segmentation.regions import regions_of, visibility
from mfa.synthetic.masks import PARTS

HEIGHT, WIDTH = 128, 64
"""Size of a kept mask in pixels."""

PIECE = 256
"""Pictures per file; an interrupted run loses at most so many."""

PRESENCE, VISIBLE = 0.9, 0.5
"""A mask is trusted where the model is at least this sure of the person and of its landmarks."""


@dataclass(frozen=True, eq=False)
class Masks:
    """Masks of one list of a dataset, in the order of the list.

    Attributes:
        parts: (N, 128, 64) uint8, indices into ``mfa.synthetic.PARTS``.
        presence: (N,) how sure the model is that there is a person; 0 for unreadable pictures.
        visible: (N,) mean probability that the landmarks of the body can be seen.
    """

    parts: np.ndarray
    presence: np.ndarray
    visible: np.ndarray

    @property
    def trusted(self) -> np.ndarray:
        """(N,) whether a mask may be measured with."""
        trusted: np.ndarray = (self.presence >= PRESENCE) & (self.visible >= VISIBLE)
        return trusted

    def resized(self, rows: Sequence[int], height: int, width: int) -> np.ndarray:
        """Some of the masks at another size, nearest pixel, (len(rows), height, width)."""
        down = (np.arange(height) + 0.5) * HEIGHT / height
        across = (np.arange(width) + 0.5) * WIDTH / width
        chosen = self.parts[np.asarray(rows, int)]
        return chosen[:, down.astype(int)][:, :, across.astype(int)]


def masks_folder(data: ReidDataset, cache: Path | None = None) -> Path:
    """Where the masks of ``data`` are kept; by default in ``cache`` beside the dataset."""
    root = data.root.parent / "cache" if cache is None else cache
    return root / f"masks-{data.name}-{data.fingerprint[:12]}-{SHA256}"


def write_masks(
    data: ReidDataset,
    splits: Sequence[Split] = ("query", "gallery"),
    *,
    cache: Path | None = None,
    model: Path = MODEL,
    progress: Progress = silent,
) -> Path:
    """Compute the masks of some lists of a dataset; what is already there is kept.

    Args:
        data: any dataset of pictures of single persons.
        splits: lists to mask.
        cache: folder for the masks; by default ``cache`` beside the dataset.
        model: the model's file.
        progress: see ``mfa.progress``.

    Returns:
        The folder that holds them.

    Raises:
        InputError: the model or its runtime is missing, or the folder cannot be written.
    """
    folder = masks_folder(data, cache)
    lists = {split: getattr(data, split) for split in splits}
    jobs = [(s, i) for s, samples in lists.items() for i in range(0, len(samples), PIECE)]
    missing = [job for job in jobs if not _piece(folder, *job).is_file()]
    network = LandmarkModel(model) if missing else None
    for done, (split, start) in enumerate(missing):
        progress(done / len(missing))
        assert network is not None
        kept = _masks(network, lists[split][start : start + PIECE])
        with atomic(_piece(folder, split, start)) as path:
            np.savez_compressed(
                path, parts=kept.parts, presence=kept.presence, visible=kept.visible
            )
    return folder


def read_masks(data: ReidDataset, split: Split = "query", cache: Path | None = None) -> Masks:
    """The kept masks of one list.

    Raises:
        InputError: they are not there, or not whole.
    """
    folder, samples = masks_folder(data, cache), getattr(data, split)
    command = f"mfa data masks {data.name} --splits {split}"
    pieces = []
    for start in range(0, len(samples), PIECE):
        path = _piece(folder, split, start)
        if not path.is_file():
            raise InputError(f"{data.name} has no masks of its {split} list in {folder}", command)
        pieces.append(_read(path, min(PIECE, len(samples) - start), command))
    if not pieces:
        raise InputError(f"{data.name} has no {split} list")
    return Masks(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))


def _piece(folder: Path, split: str, start: int) -> Path:
    return folder / f"{split}-{start:06}.npz"


def _read(path: Path, count: int, command: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    try:
        with np.load(path) as file:
            parts, presence, visible = (file[name] for name in ("parts", "presence", "visible"))
    except Exception as error:
        raise InputError(f"{path} is damaged", f"delete it, then {command}") from error
    fits = parts.shape == (count, HEIGHT, WIDTH) and presence.shape == visible.shape == (count,)
    if not fits or parts.max(initial=0) >= len(PARTS):
        raise InputError(f"{path} holds masks of other pictures", f"delete it, then {command}")
    return parts, presence, visible


def _masks(network: LandmarkModel, samples: Sequence[Sample]) -> Masks:
    parts = np.zeros((len(samples), HEIGHT, WIDTH), np.uint8)
    presence, visible = np.zeros((2, len(samples)), np.float32)
    for row, sample in enumerate(samples):
        try:
            with Image.open(sample.path) as file:
                image = file.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
        except OSError:
            continue  # presence stays 0: a picture that cannot be read has no trusted mask
        pose = network(image)
        parts[row] = regions_of(pose)
        presence[row], visible[row] = pose.presence, visibility(pose)
    return Masks(parts, presence, visible)
