"""Distances between queries and gallery, made block by block so that memory stays bounded.

Ranking needs only the order, so a block holds float32 *keys*: numbers that grow with the distance
and cost one matrix product. ``values`` turns keys into distances without merging two different
keys, so that what is shown has the same ties as what was ranked.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Literal, Protocol

import numpy as np

from mfa.errors import InputError
from mfa.processes import ALONE, ProcessGroup
from mfa.progress import Progress, silent

Metric = Literal["cosine", "euclidean"]

METRICS: tuple[Metric, ...] = ("cosine", "euclidean")

BLOCK = 256
"""Number of queries per block. Small blocks make BLAS repack the gallery each time; large ones make
showing the ranking of a single query slow."""


class Distances(Protocol):
    """What the scoring reads: any source of distances from Q queries to G gallery pictures."""

    @property
    def shape(self) -> tuple[int, int]:
        """(Q, G)."""

    def keys(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """(stop - start, G) float32, smaller is closer; written into ``out`` where given.

        The same ``start`` and ``stop`` give the same bits each time.
        """

    def values(self, keys: np.ndarray, query: int) -> np.ndarray:
        """Distances (float64) of ``keys`` of one query; grows with the key."""

    def card(self) -> dict[str, object]:
        """``distance`` and ``reranking`` in words, for the protocol card."""

    def reordered(self, order: np.ndarray) -> Distances:
        """The same distances with the gallery's columns in ``order`` (G,)."""


def blocks(
    distances: Distances, progress: Progress = silent, ranks: ProcessGroup = ALONE
) -> Iterator[tuple[int, np.ndarray]]:
    """The first query and the keys of every block; the next block overwrites them.

    ``progress`` is called with the completed fraction before each block; an exception aborts. Of
    several processes each gets its share of the blocks.
    """
    queries, gallery = distances.shape
    buffer = np.empty((min(BLOCK, queries), gallery), dtype=np.float32)
    for start in ranks.mine(range(0, queries, BLOCK)):
        progress(start / queries)
        stop = min(start + BLOCK, queries)
        yield start, distances.keys(start, stop, out=buffer[: stop - start])


class FeatureDistances:
    """Cosine (1 - cosine similarity) or Euclidean distance from features (Q, D) to features (G, D).

    A feature of length zero has no direction: its cosine with everything is taken as 0, its
    distance as 1.
    """

    def __init__(self, query: np.ndarray, gallery: np.ndarray, metric: Metric = "cosine") -> None:
        self.metric = metric
        if metric not in METRICS:
            raise InputError(f"no distance {metric!r}; there are {', '.join(METRICS)}")
        prepare = normalised if metric == "cosine" else as_float32
        self._query, self._gallery = prepare(query), prepare(gallery)
        # With -q the product is the key itself: one pass less over the largest matrix.
        self._factor = -self._query if metric == "cosine" else -2 * self._query
        self._squares = None if metric == "cosine" else _squares(self._gallery)
        self._copies, self._originals = equal_rows(self._gallery)

    @property
    def shape(self) -> tuple[int, int]:
        """(Q, G)."""
        return len(self._query), len(self._gallery)

    def keys(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """Minus the cosine, or ``|g|^2 - 2 q.g`` (the Euclidean distance squared, less |q|^2)."""
        block: np.ndarray = np.matmul(self._factor[start:stop], self._gallery.T, out=out)
        if self._squares is not None:
            block += self._squares
        # BLAS may round the columns at a block's edge differently; equal pictures must tie.
        if len(self._copies):
            block[:, self._copies] = block[:, self._originals]
        return block

    def values(self, keys: np.ndarray, query: int) -> np.ndarray:
        """Distances of ``keys`` of one query, float64."""
        wide: np.ndarray = keys.astype(np.float64)
        if self._squares is None:
            wide += 1
            return wide
        wide += _squares(self._query[query : query + 1])
        np.maximum(wide, 0, out=wide)
        return np.asarray(np.sqrt(wide))

    def card(self) -> dict[str, object]:
        """``distance`` and ``reranking`` in words, for the protocol card."""
        cosine = self.metric == "cosine"
        words = "cosine: 1 - cosine similarity" if cosine else "euclidean, features as they are"
        return {"distance": words, "reranking": "none"}

    def reordered(self, order: np.ndarray) -> FeatureDistances:
        """The same distances with the gallery's columns in ``order`` (G,)."""
        other, place = copy(self), np.argsort(order)
        other._copies, other._originals = place[self._copies], place[self._originals]
        other._gallery = self._gallery[order]
        other._squares = None if self._squares is None else self._squares[order]
        return other


def as_float32(features: np.ndarray) -> np.ndarray:
    """(N, D) as contiguous float32."""
    return np.ascontiguousarray(features, dtype=np.float32)


def normalised(features: np.ndarray) -> np.ndarray:
    """(N, D) float32 with rows of length 1; a row of zeros stays zeros."""
    rows = as_float32(features)
    # In float64 the squares of large half-precision features cannot overflow.
    norms = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))[:, None]
    norms[norms == 0] = 1
    return np.asarray(rows / norms, dtype=np.float32)


def _squares(features: np.ndarray) -> np.ndarray:
    squares = np.einsum("nd,nd->n", features, features, dtype=np.float64)
    return np.asarray(squares, dtype=np.float32)


def smallest(line: np.ndarray, k: int) -> np.ndarray:
    """Positions of the ``k`` smallest numbers of a ``line`` (G,), in order; ties by position."""
    # Of k groups with the smallest minima each holds one of at most ``reach``: k positions or more
    # remain, and few. This saves most of a partition of the whole line.
    groups = len(line) // 32
    heads = line[: 32 * groups].reshape(32, -1).min(axis=0) if groups >= k else line
    reach = np.partition(heads, k - 1)[k - 1]
    near = np.flatnonzero(line <= reach)
    return np.asarray(near[np.argsort(line[near], kind="stable")[:k]])


def equal_rows(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that repeat an earlier row bit for bit, and for each the first such row."""
    # Equal rows have equal sums of bits, so only rows that share a sum need a closer look.
    whole = features.shape[1] * features.itemsize % 4 == 0
    words = np.uint32 if whole else np.dtype(f"u{features.itemsize}")
    parts = (features[first : first + 65_536] for first in range(0, len(features), 65_536))
    sums = [np.ascontiguousarray(p).view(words).sum(axis=1, dtype=np.uint64) for p in parts]
    _, group, sizes = np.unique(np.concatenate(sums), return_inverse=True, return_counts=True)
    first: dict[bytes, int] = {}
    copies, originals = [], []
    for row in np.flatnonzero(sizes[group] > 1).tolist():
        original = first.setdefault(features[row].tobytes(), row)
        if original != row:
            copies.append(row)
            originals.append(original)
    return np.array(copies, dtype=np.int64), np.array(originals, dtype=np.int64)
