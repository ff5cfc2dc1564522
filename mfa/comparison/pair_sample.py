"""Pairs to look at on both sides of a threshold: every counted pair of some queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.records import Features
from mfa.retrieval.metrics import arranged

AMONG = 50
"""Pairs per group and picture asked for, of which each query shows one."""


@dataclass(frozen=True)
class PairSample:
    """Counted pairs of some queries with the whole gallery.

    Attributes:
        query, gallery: (P,) rows of the features.
        distance: (P,).
        same: (P,) whether a pair shows one person.
    """

    query: np.ndarray
    gallery: np.ndarray
    distance: np.ndarray
    same: np.ndarray

    def near(self, threshold: float, k: int = 4) -> dict[tuple[bool, bool], pd.DataFrame]:
        """The pairs next to the threshold, the nearest to it first, one per query.

        Returns:
            By (same person, accepted): up to ``k`` rows of ``query``, ``gallery``, ``distance``.
        """
        accepted = self.distance <= threshold
        return {
            (same, inside): self._nearest((self.same == same) & (accepted == inside), threshold, k)
            for same in (True, False)
            for inside in (True, False)
        }

    def _nearest(self, group: np.ndarray, threshold: float, k: int) -> pd.DataFrame:
        places = np.flatnonzero(group)
        gap = np.abs(self.distance[places] - threshold)
        if len(places) > k * AMONG:
            some = np.argpartition(gap, k * AMONG)[: k * AMONG]
            places, gap = places[some], gap[some]
        places = places[np.lexsort((places, gap))]
        columns = {name: getattr(self, name)[places] for name in ("query", "gallery", "distance")}
        return pd.DataFrame(columns).drop_duplicates("query").head(k).reset_index(drop=True)


def sample_pairs(
    features: Features, *, camera_filter: bool = True, queries: int = 64
) -> PairSample:
    """The counted pairs of ``queries`` queries, spread evenly over the list.

    Memory is 25 bytes per pair.

    Raises:
        InputError: ``queries`` is below 1, or an empty side.
    """
    if queries < 1:
        raise InputError(f"queries must be 1 or more, got {queries}")
    count = len(features.query)
    rows = np.unique(np.linspace(0, count - 1, min(queries, count)).astype(int))
    some = Features(features.query.take(rows), features.gallery)
    distances, grouped = arranged(some, camera_filter, "cosine")
    keys = distances.keys(0, len(rows))
    counted = np.array([grouped.valid(query) for query in range(len(rows))])
    query, column = np.nonzero(counted)
    distance = np.concatenate([distances.values(keys[q][counted[q]], q) for q in range(len(rows))])
    same = grouped.pids[column] == some.query.pids[query]
    return PairSample(rows[query], grouped.order[column], distance, same)
