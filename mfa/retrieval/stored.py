"""Galleries that outgrow memory: half-precision features on disk, read in pieces.

A stored gallery is a folder: ``features.npy`` (N, D) float16 with rows of unit length, and
``labels.npz`` with ``pids``, ``camids`` and ``names``. Both are plain NumPy files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from pathlib import Path

import numpy as np

from mfa.errors import InputError
from mfa.records import FeatureSet
from mfa.retrieval.distances import equal_rows, normalised

ROWS = 16_384
"""Number of gallery rows that are held in float32 at a time."""


def write_stored(folder: Path, parts: Iterable[FeatureSet], rows: int) -> None:
    """Write a gallery part by part, so that it never lies in memory.

    Args:
        folder: is made where it is missing.
        parts: the gallery's pictures in order; features are scaled to unit length.
        rows: number of pictures in all parts together.

    Raises:
        InputError: the parts hold another number of pictures, or widths differ.
    """
    folder.mkdir(parents=True, exist_ok=True)
    labels: dict[str, list[np.ndarray]] = {"pids": [], "camids": [], "names": []}
    features, done = None, 0
    for part in parts:
        shape = rows, part.features.shape[1]
        if features is None:
            features = np.lib.format.open_memmap(
                folder / "features.npy", mode="w+", dtype=np.float16, shape=shape
            )
        if features.shape != shape or done + len(part) > rows:
            raise InputError(
                f"pictures {done} to {done + len(part)} of width {shape[1]} do not fit a gallery "
                f"of shape {features.shape}"
            )
        features[done : done + len(part)] = normalised(part.features)
        done += len(part)
        for name, column in labels.items():
            column.append(np.asarray(getattr(part, name)))
    if features is None or done != rows:
        raise InputError(f"the parts hold {done} pictures, not {rows}")
    features.flush()
    pids, camids, names = (np.concatenate(columns) for columns in labels.values())
    np.savez(folder / "labels.npz", pids=pids, camids=camids, names=names)


def read_stored(folder: Path) -> FeatureSet:
    """The gallery of a folder; its features stay on disk until they are used.

    Raises:
        InputError: a file is missing or is no such file, or lengths differ.
    """
    try:
        features = np.load(folder / "features.npy", mmap_mode="r", allow_pickle=False)
        with np.load(folder / "labels.npz", allow_pickle=False) as labels:
            return FeatureSet(features, labels["pids"], labels["camids"], labels["names"])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(
            f"{folder} is no stored gallery: {error}", "write it with mfa.write_stored"
        ) from error


class StoredDistances:
    """Cosine distances from queries (Q, D) to a gallery (G, D) that is read in pieces.

    The same distances as ``FeatureDistances`` to about 1e-6, for ``score(..., distance=...)``.
    Memory is a block of keys, 1 KiB per gallery picture, and one piece of the gallery; the gallery
    is read once per block of 256 queries.
    """

    def __init__(self, query: np.ndarray, gallery: np.ndarray) -> None:
        self._factor, self._gallery = -normalised(query), gallery
        self._columns = np.arange(len(gallery))
        self._copies, self._originals = equal_rows(gallery)

    @property
    def shape(self) -> tuple[int, int]:
        """(Q, G)."""
        return len(self._factor), len(self._gallery)

    def keys(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """(stop - start, G) minus the cosine, float32; written into ``out`` where given."""
        if out is None:
            out = np.empty((stop - start, len(self._gallery)), dtype=np.float32)
        for first, rows in pieces(self._gallery):
            out[:, self._columns[first : first + len(rows)]] = self._factor[start:stop] @ rows.T
        if len(self._copies):  # equal pictures must tie, wherever a product rounds
            out[:, self._columns[self._copies]] = out[:, self._columns[self._originals]]
        return out

    def values(self, keys: np.ndarray, query: int) -> np.ndarray:
        """1 - cosine of ``keys``, float64."""
        return np.asarray(keys.astype(np.float64) + 1)

    def card(self) -> dict[str, object]:
        """``distance`` and ``reranking`` in words, for the protocol card."""
        words = f"cosine: 1 - cosine similarity, gallery in {self._gallery.dtype} on disk"
        return {"distance": words, "reranking": "none"}

    def reordered(self, order: np.ndarray) -> StoredDistances:
        """The same distances with the gallery's columns in ``order`` (G,); nothing is copied."""
        other = copy(self)
        other._columns = np.argsort(order)[self._columns]
        return other


def pieces(gallery: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The first row of each piece, and its rows in float32 with unit length."""
    for first in range(0, len(gallery), ROWS):
        yield first, normalised(gallery[first : first + ROWS])


def nearest_stored(
    query: np.ndarray, gallery: np.ndarray, k: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` nearest gallery rows of each query by cosine, exact; one pass over the gallery.

    Junk takes part: its place is known from the labels.

    Returns:
        (Q, k) positions in the gallery, nearest first, and (Q, k) distances (1 - cosine).

    Raises:
        InputError: ``k`` is not between 1 and the size of the gallery.
    """
    if not 1 <= k <= len(gallery):
        raise InputError(f"k must be 1 to {len(gallery)}, the size of the gallery, got {k}")
    factor = -normalised(query)
    best = np.full((len(query), k), np.inf, dtype=np.float32)
    places = np.zeros((len(query), k), dtype=np.int64)
    for first, rows in pieces(gallery):
        keys = factor @ rows.T
        near = np.argpartition(keys, min(k, len(rows)) - 1, axis=1)[:, :k]
        all_keys = np.concatenate([best, np.take_along_axis(keys, near, 1)], axis=1)
        all_places = np.concatenate([places, near + first], axis=1)
        order = np.lexsort((all_places, all_keys), axis=1)[:, :k]
        best = np.take_along_axis(all_keys, order, 1)
        places = np.take_along_axis(all_places, order, 1)
    return places, best + 1
