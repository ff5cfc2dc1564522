"""The ranked gallery of one query, as it was scored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mfa.errors import InputError
from mfa.records import Features
from mfa.retrieval.distances import Distances
from mfa.retrieval.gallery import GroupedGallery

if TYPE_CHECKING:
    import pandas as pd


class Ranker:
    """Ranks the gallery for one query with the distances and the rules of a scoring.

    Args:
        features: both sides.
        grouped: which gallery pictures count for whom.
        distances: columns in ``grouped.order``.
        block: queries per block when scored; the same block is computed again, because another
            shape of matrix product rounds differently and could swap near ties.
    """

    def __init__(
        self, features: Features, grouped: GroupedGallery, distances: Distances, block: int
    ) -> None:
        self._features = features
        self._grouped = grouped
        self._distances = distances
        self._block = block
        self._cached: tuple[int, np.ndarray] = (-1, np.empty((0, 0), dtype=np.float32))

    def rank(self, query: int, k: int, *, include_ignored: bool) -> pd.DataFrame:
        """The first ``k`` counted pictures of ``query``; see ``RetrievalResult.ranking``."""
        import pandas as pd

        if not 0 <= query < len(self._features.query):
            raise InputError(
                f"no query {query}: there are {len(self._features.query)}, counted from 0"
            )
        if k < 1:
            raise InputError(f"k must be 1 or more, got {k}")
        keys = self._keys(query)
        valid = self._grouped.valid(query)
        match = np.zeros(len(keys), dtype=bool)
        match[self._grouped.start[query] : self._grouped.stop[query]] = True
        chosen = self._first(keys, valid, match, k, include_ignored)
        shown = self._grouped.order[chosen]
        gallery = self._features.gallery
        ranks = pd.array(np.cumsum(valid[chosen]), dtype="Int64")
        ranks[~valid[chosen]] = pd.NA
        return pd.DataFrame(
            {
                "rank": ranks,
                "gallery": shown,
                "name": np.asarray(gallery.names)[shown],
                "pid": np.asarray(gallery.pids)[shown],
                "camid": np.asarray(gallery.camids)[shown],
                "distance": self._distances.values(keys[chosen], query),
                "match": match[chosen],
                "valid": valid[chosen],
            }
        )

    def _keys(self, query: int) -> np.ndarray:
        block = query // self._block
        if self._cached[0] != block:
            start = block * self._block
            stop = min(start + self._block, len(self._features.query))
            self._cached = (block, self._distances.keys(start, stop))
        row: np.ndarray = self._cached[1][query - block * self._block]
        return row

    @staticmethod
    def _first(
        keys: np.ndarray, valid: np.ndarray, match: np.ndarray, k: int, include_ignored: bool
    ) -> np.ndarray:
        """Columns by distance, non-matches first where equal, up to the k-th counted one."""
        counted = keys[valid]
        reach = np.partition(counted, k - 1)[k - 1] if len(counted) > k else np.inf
        near = np.flatnonzero((keys <= reach) & (valid | include_ignored))
        near = near[np.lexsort((match[near], keys[near]))]
        places = np.flatnonzero(valid[near])
        return near[: places[k - 1] + 1] if len(places) >= k else near
