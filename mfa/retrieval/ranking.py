"""The ranked gallery of one query, as it was scored."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.records import Features
from mfa.retrieval.distances import BLOCK, Distances
from mfa.retrieval.gallery import GroupedGallery


class Ranker:
    """Ranks the gallery for one query with the distances and the rules of a scoring.

    The columns of ``distances`` are in ``grouped.order``. The block that the query was scored in is
    computed again: another shape of matrix product rounds differently and could swap near ties.
    """

    def __init__(self, features: Features, grouped: GroupedGallery, distances: Distances) -> None:
        self._features = features
        self._grouped = grouped
        self._distances = distances
        self._cached: tuple[int, np.ndarray] = (-1, np.empty((0, 0), dtype=np.float32))

    def rank(self, query: int, k: int, *, include_ignored: bool) -> pd.DataFrame:
        """The first ``k`` counted pictures of ``query``; see ``RetrievalResult.ranking``."""
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
                "pid": gallery.pids[shown],
                "camid": gallery.camids[shown],
                "distance": self._distances.values(keys[chosen], query),
                "match": match[chosen],
                "valid": valid[chosen],
            }
        )

    def _keys(self, query: int) -> np.ndarray:
        start, place = query - query % BLOCK, query % BLOCK
        cached = self._cached  # read once: threads may share a ranker
        if cached[0] != start:
            stop = min(start + BLOCK, len(self._features.query))
            cached = self._cached = (start, self._distances.keys(start, stop))
        return np.asarray(cached[1][place])

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
