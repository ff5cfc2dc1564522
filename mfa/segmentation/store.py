"""Masks of a whole dataset: computed once, piece by piece, and kept beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mfa.datasets.loading.cache import cache_folder
from mfa.datasets.loading.decode import read_image
from mfa.datasets.readers.listing import quoted
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
    """The folder that masks of ``data`` are written to: in ``cache``, or in the picture cache.

    Raises:
        InputError: neither is there, because the picture cache is switched off.
    """
    chosen = cache or cache_folder(data.root)
    if chosen is None:
        raise InputError(
            f"masks of {data.name} are kept in the cache, which is switched off",
            "name a folder for it: --cache DIR, or the variable MFA_CACHE",
        )
    return chosen / f"masks-{data.name}-{data.fingerprint[:12]}-{SHA256}"


def write_masks(
    data: ReidDataset,
    splits: Sequence[Split] = ("query", "gallery"),
    *,
    cache: Path | None = None,
    model: Path = MODEL,
    progress: Progress = silent,
) -> None:
    """Compute the masks of some lists of a dataset; what is already there is kept."""
    missing = [
        (split, start)
        for split in splits
        for start in range(0, len(getattr(data, split)), PIECE)
        if _find(data, cache, split, start) is None
    ]
    if not missing:
        return
    folder, network = masks_folder(data, cache), LandmarkModel(model)
    for done, (split, start) in enumerate(missing):
        progress(done / len(missing))
        kept = _masks(network, getattr(data, split)[start : start + PIECE])
        with atomic(folder / _piece(split, start)) as path:
            np.savez_compressed(path, **vars(kept))


def read_masks(data: ReidDataset, split: Split = "query", cache: Path | None = None) -> Masks:
    """The kept masks of one list, from the cache or from beside the dataset."""
    count = len(getattr(data, split))
    command = f"mfa data masks {data.name} --splits {split} --data-root {quoted(data.root)}"
    pieces = []
    for start in range(0, count, PIECE):
        path = _find(data, cache, split, start)
        if path is None:
            raise InputError(f"the {split} pictures of {data.name} have no masks", command)
        pieces.append(_read(path, min(PIECE, count - start), f"delete it, then {command}"))
    if not pieces:
        raise InputError(f"{data.name} has no {split} list")
    return Masks(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))


def _find(data: ReidDataset, cache: Path | None, split: str, start: int) -> Path | None:
    """A piece in ``cache``; by default in the picture cache, or beside the dataset."""
    roots = [cache] if cache else [cache_folder(data.root), data.root.parent / "cache"]
    paths = (masks_folder(data, root) / _piece(split, start) for root in roots if root)
    return next((path for path in paths if path.is_file()), None)


def _piece(split: str, start: int) -> str:
    return f"{split}-{start:06}.npz"


def _read(path: Path, count: int, fix: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    try:
        with np.load(path) as file:
            parts, presence, visible = (file[name] for name in ("parts", "presence", "visible"))
    except Exception as error:
        raise InputError(f"{path} is damaged", fix) from error
    fits = parts.shape == (count, HEIGHT, WIDTH) and presence.shape == visible.shape == (count,)
    if not fits or parts.max(initial=0) >= len(PARTS):
        raise InputError(f"{path} holds masks of other pictures", fix)
    return parts, presence, visible


def _masks(network: LandmarkModel, samples: Sequence[Sample]) -> Masks:
    parts = np.zeros((len(samples), HEIGHT, WIDTH), np.uint8)
    presence, visible = np.zeros((2, len(samples)), np.float32)
    for row, sample in enumerate(samples):
        try:
            image = read_image(sample.path)
        except InputError:
            continue  # presence stays 0: a picture that cannot be read has no trusted mask
        pose = network(image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))
        parts[row], presence[row], visible[row] = regions_of(pose), pose.presence, visibility(pose)
    return Masks(parts, presence, visible)
