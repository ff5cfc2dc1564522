"""k-reciprocal re-ranking (Zhong et al. 2017) without any matrix of all pairs.

Queries and gallery together are N pictures. The published code keeps several N x N matrices (over
140 GB for MSMT17). Here each picture keeps its k1 nearest neighbours and the few non-zero weights
of its neighbourhood; distances are made again, block by block, where they are needed.

The formulas are the paper's, with the choices of its published code: distances are squared
Euclidean ones (of normalised features for ``cosine``, where they are proportional to 1 - cosine),
divided by their maximum over each picture's row; a neighbourhood holds the picture itself.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from mfa.errors import InputError
from mfa.progress import Progress, silent
from mfa.records import JUNK, Features
from mfa.retrieval.distances import Metric, as_float32, normalised, smallest

BLOCK = 256
"""Rows of the N x N distances made at a time. BLAS repacks all pictures once per block."""


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes that re-ranking takes beside the features.

    Attributes:
        likely: with neighbourhoods as sparse as real features make them.
        most: if every neighbourhood grew as far as it can.
        dense: one N x N float32 matrix; the published code keeps four or more.
    """

    likely: int
    most: int
    dense: int


def memory_need(queries: int, gallery: int, width: int, *, k1: int = 20, k2: int = 6) -> MemoryNeed:
    """What ``ReciprocalDistances`` will need for features of ``width`` columns."""
    everyone = queries + gallery
    fixed = everyone * (4 * width + 6 * (k1 + 1)) + 12 * BLOCK * everyone
    # 8 bytes a weight, kept by row, by column, and once more while one is sorted into the other.
    each = 3 * 8 * everyone
    reach = (k1 + 1) * (round(k1 / 2) + 2)
    return MemoryNeed(
        likely=fixed + each * min(everyone, 4 * (k1 + 1)),
        most=fixed + each * min(everyone, reach * max(k2, 1)),
        dense=4 * everyone**2,
    )


class ReciprocalDistances:
    """Re-ranked distances: ``original_weight`` * original + the rest * Jaccard distance.

    Junk takes no part: it is nobody's neighbour, and lies at infinity.

    Args:
        features: both sides.
        k1: neighbours that must be mutual.
        k2: neighbours whose weights are averaged (query expansion); 1 for none.
        original_weight: lambda of the paper, in [0, 1].
        metric: of the original distance.
        progress: called with the completed fraction several times per second; an exception aborts.

    Raises:
        InputError: a number out of range, or fewer pictures than k1 + 1.
    """

    def __init__(
        self,
        features: Features,
        *,
        k1: int = 20,
        k2: int = 6,
        original_weight: float = 0.3,
        metric: Metric = "cosine",
        progress: Progress = silent,
    ) -> None:
        prepare = normalised if metric == "cosine" else as_float32
        kept = np.flatnonzero(features.gallery.pids != JUNK)
        self._queries = len(features.query)
        self.shape = (self._queries, len(features.gallery))
        pictures = self._queries + len(kept)
        if not 1 <= k2 <= k1 + 1:
            raise InputError(f"re-ranking needs 1 <= k2 <= k1 + 1, got k1={k1}, k2={k2}")
        if not 0 <= original_weight <= 1:
            raise InputError(f"original_weight must be in [0, 1], got {original_weight}")
        if pictures <= k1:
            raise InputError(
                f"re-ranking with k1={k1} needs more than {k1} pictures, there are {pictures}; "
                "give a smaller k1"
            )
        self._words = f"k-reciprocal, k1={k1}, k2={k2}, lambda={original_weight:g}"
        self._metric = metric
        self._original_weight = original_weight
        self._columns = kept
        self._all = np.concatenate(
            [prepare(features.query.features), prepare(features.gallery.features[kept])]
        )
        self._squares = np.einsum("nd,nd->n", self._all, self._all)
        # The shares are those of the time it takes at the size of Market-1501.
        nearest, self._farthest = self._neighbours(k1 + 1, lambda part: progress(0.7 * part))
        weights = self._neighbourhoods(nearest, k1, lambda part: progress(0.7 + 0.2 * part))
        weights = _expanded(weights, nearest[:, :k2], lambda part: progress(0.9 + 0.1 * part))
        self._weights = weights[: self._queries]
        self._holders = weights[self._queries :].tocsc()

    def keys(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """(stop - start, G) re-ranked distances, float32; junk at infinity."""
        if out is None:
            out = np.empty((stop - start, self.shape[1]), dtype=np.float32)
        out[:] = np.inf
        part = self._original_weight
        for first in range(start, stop, BLOCK):
            last = min(first + BLOCK, stop)
            original = self._scaled(np.arange(first, last), slice(self._queries, None))
            for row in range(first, last):
                mixed = part * original[row - first] + (1 - part) * self._jaccard(row)
                out[row - start, self._columns] = mixed
        return out

    def values(self, keys: np.ndarray, query: int) -> np.ndarray:
        """The keys are the distances."""
        return keys.astype(np.float64)

    def card(self) -> dict[str, object]:
        """``distance`` and ``reranking`` in words, for the protocol card."""
        return {"distance": f"re-ranked, from {self._metric}", "reranking": self._words}

    def reordered(self, order: np.ndarray) -> ReciprocalDistances:
        """The same distances with the gallery's columns in ``order`` (G,)."""
        other = copy(self)
        other._columns = np.argsort(order)[self._columns]
        return other

    def _squared(self, rows: np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """Squared Euclidean distances, (rows, columns)."""
        block: np.ndarray = (-2 * self._all[rows]) @ self._all[columns].T
        here = self._squares[columns]
        # Line by line, so that a line stays in the processor's cache.
        for line, square in zip(block, self._squares[rows], strict=True):
            line += square
            line += here
            np.maximum(line, 0, out=line)
        return block

    def _scaled(self, rows: np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """Squared distances over the largest of each row."""
        return np.asarray(self._squared(rows, columns) / self._farthest[rows, None])

    def _neighbours(self, count: int, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
        """(N, count) nearest pictures, equal distances in order of place; (N,) row maxima."""
        everyone = len(self._all)
        nearest = np.empty((everyone, count), dtype=np.int32)
        farthest = np.empty(everyone, dtype=np.float32)
        for start in range(0, everyone, BLOCK):
            progress(start / everyone)
            rows = np.arange(start, min(start + BLOCK, everyone))
            for row, line in zip(rows, self._squared(rows, slice(None)), strict=True):
                farthest[row] = line.max()
                nearest[row] = smallest(line, count)
        # All pictures in one point: any scale will do, but not 0.
        farthest[farthest == 0] = 1
        return nearest, farthest

    def _neighbourhoods(self, nearest: np.ndarray, k1: int, progress: Progress) -> csr_array:
        """Weights exp(-distance) over each picture's expanded reciprocal set, summing to 1."""
        half = nearest[:, : round(k1 / 2) + 1]
        mutual, mutual_half = _mutual(nearest), _mutual(half)
        everyone = len(nearest)
        columns, weights = [], []
        for start in range(0, everyone, BLOCK):
            progress(start / everyone)
            own, reciprocal = nearest[start : start + BLOCK], mutual[start : start + BLOCK]
            line = np.arange(len(own))[:, None]
            inside = np.zeros((len(own), everyone), dtype=bool)
            inside[line, own] = reciprocal
            theirs, kept = half[own], mutual_half[own] & reciprocal[..., None]
            shared = (inside[line[..., None], theirs] & kept).sum(axis=2)
            joining = kept & (shared > 2 / 3 * kept.sum(axis=2))[..., None]
            inside[np.nonzero(joining)[0], theirs[joining]] = True
            for row, members in enumerate(map(np.flatnonzero, inside), start):
                weight = np.exp(-self._scaled(np.array([row]), members)[0])
                columns.append(members.astype(np.int32))
                weights.append(weight / weight.sum())
        offsets = np.concatenate([[0], np.cumsum([len(part) for part in columns])])
        stacked = np.concatenate(weights), np.concatenate(columns), offsets
        return csr_array(stacked, shape=(everyone, everyone))

    def _jaccard(self, query: int) -> np.ndarray:
        """(kept gallery,) Jaccard distances of a query: 1 - sum of minima / sum of maxima."""
        part = slice(*self._weights.indptr[query : query + 2])
        columns, weights = self._weights.indices[part], self._weights.data[part]
        offsets = self._holders.indptr
        lengths = offsets[columns + 1] - offsets[columns]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        places = np.arange(total) + np.repeat(offsets[columns] - ends + lengths, lengths)
        least = np.minimum(np.repeat(weights, lengths), self._holders.data[places])
        shared = np.bincount(
            self._holders.indices[places], weights=least, minlength=len(self._columns)
        )
        return np.asarray(1 - shared / (2 - shared))


def _mutual(nearest: np.ndarray, block: int = 4096) -> np.ndarray:
    """(N, k) bool: whether each neighbour has the picture among its own k nearest."""
    mutual = np.empty(nearest.shape, dtype=bool)
    for start in range(0, len(nearest), block):
        rows = nearest[start : start + block]
        own = np.arange(start, start + len(rows))[:, None, None]
        mutual[start : start + block] = (nearest[rows] == own).any(axis=2)
    return mutual


def _expanded(weights: csr_array, nearest: np.ndarray, progress: Progress) -> csr_array:
    """Each row the mean of the rows of its ``nearest`` (N, k2)."""
    everyone, k2 = nearest.shape
    parts = []
    for start in range(0, everyone, BLOCK):
        progress(start / everyone)
        rows = nearest[start : start + BLOCK]
        # Summed in float64: the order of the neighbours then does not show.
        mean = np.full(rows.size, 1 / k2), rows.ravel(), np.arange(0, rows.size + 1, k2)
        parts.append((csr_array(mean, shape=(len(rows), everyone)) @ weights).astype(np.float32))
    return vstack(parts, format="csr")
