"""Distances for any weights of the branches, from products that are made once.

The cosine of two weighted descriptors is sum_b w_b^2 q_b.g_b / (|q|_w |g|_w): with the products of
every branch kept, new weights cost a weighted sum instead of a matrix product (a twentieth of the
time for branches of 512 columns).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace

import numpy as np

from mfa.progress import Progress, silent
from mfa.records import Features
from mfa.retrieval.branch_weights import check_weights
from mfa.retrieval.gallery import GroupedGallery

ROWS = 64
"""Queries summed at a time: their part of every product fits the processor's cache."""


def bytes_needed(features: Features) -> int:
    """Memory that ``BranchProducts`` takes."""
    return 4 * len(features.branches) * len(features.query) * len(features.gallery)


class BranchProducts:
    """The products of all queries with all gallery pictures, branch by branch, (Q, G) float32."""

    def __init__(self, features: Features, progress: Progress = silent) -> None:
        self.features = features
        # The order scoring asks for, whatever its rules: no product is ever rearranged.
        self.order = GroupedGallery(features.query, features.gallery, True).order
        self.products: dict[str, np.ndarray] = {}
        self._squares: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for number, (name, columns) in enumerate(features.columns()):
            progress(number / len(features.branches))
            query = np.ascontiguousarray(features.query.features[:, columns], dtype=np.float32)
            gallery = np.ascontiguousarray(
                features.gallery.features[self.order][:, columns], dtype=np.float32
            )
            self.products[name] = query @ gallery.T
            self._squares[name] = (_squares(query), _squares(gallery))

    def weighted(self, weights: Mapping[str, float]) -> WeightedDistances:
        """Cosine distances of descriptors weighted as by ``mfa.retrieval.branch_weights``."""
        used = check_weights(self.features, weights)
        query, gallery = (
            np.sqrt(sum(used[name] ** 2 * self._squares[name][side] for name in used))
            for side in (0, 1)
        )
        query[query == 0] = gallery[gallery == 0] = 1
        return WeightedDistances(self, used, query, gallery)

    def weighted_features(self, weights: Mapping[str, float]) -> Features:
        """The features as they are, with the weights written on their card."""
        origin = {**self.features.origin, "branch_weights": dict(weights)}
        return replace(self.features, origin=origin)


class WeightedDistances:
    """1 - cosine of weighted descriptors; see ``mfa.retrieval.distances.Distances``."""

    def __init__(
        self,
        made: BranchProducts,
        weights: Mapping[str, float],
        query: np.ndarray,
        gallery: np.ndarray,
    ) -> None:
        self._made, self._weights = made, dict(weights)
        self._query = query.astype(np.float32)
        self._gallery = gallery.astype(np.float32)
        self.shape = (len(query), len(gallery))
        # Columns as the gallery was given, until scoring asks for its own order.
        self._columns: np.ndarray | None = np.argsort(made.order)

    def keys(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """Minus the cosine."""
        block = np.empty((stop - start, self.shape[1]), np.float32) if out is None else out
        spare = np.empty((min(ROWS, stop - start), self.shape[1]), np.float32)
        for first in range(start, stop, ROWS):
            last = min(first + ROWS, stop)
            rows, part = block[first - start : last - start], spare[: last - first]
            for number, (name, weight) in enumerate(self._weights.items()):
                product = self._made.products[name][first:last]
                np.multiply(product, np.float32(-(weight**2)), out=part if number else rows)
                if number:
                    rows += part
            rows /= self._gallery
            rows /= self._query[first:last, None]
        if self._columns is not None:
            block[:] = block[:, self._columns]
        return block

    def values(self, keys: np.ndarray, query: int) -> np.ndarray:
        """1 - cosine, float64."""
        return np.asarray(keys.astype(np.float64) + 1)

    def card(self) -> dict[str, object]:
        """``distance`` and ``reranking`` in words, for the protocol card."""
        return {"distance": "cosine: 1 - cosine similarity", "reranking": "none"}

    def reordered(self, order: np.ndarray) -> WeightedDistances:
        """The same distances with the gallery's columns in ``order`` (G,)."""
        other = copy(self)
        columns = order if self._columns is None else self._columns[order]
        same = np.array_equal(columns, np.arange(len(columns)))
        other._columns = None if same else columns
        return other


def _squares(rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))
