"""Somebody I know, or nobody? The nearest answer of each query, against a threshold.

In an open set the person of a query may be missing from the gallery. Whoever is farther than the
threshold from everybody is then called nobody. The rates are those of watch lists (NIST's reports
on face identification): how many known people are named rightly, and how many strangers are named.
Every query plays both parts: with the pictures of its person, and as a stranger without them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mfa.progress import Progress, silent
from mfa.records import Features
from mfa.retrieval.distances import Distances, Metric, blocks
from mfa.retrieval.metrics import arranged, refuse_if_nothing_counts


@dataclass(frozen=True)
class Identification:
    """The nearest pictures of every query, of its person and of others.

    Attributes:
        table: one row per query: ``query``, ``name``, ``pid``, ``camid``; the gallery rows
            ``match`` (nearest counted picture of its person) and ``other`` (nearest of somebody
            else), -1 where there is none; ``match_distance`` and ``other_distance``, infinite
            where there is none.
    """

    table: pd.DataFrame

    def at_threshold(self, threshold: float) -> dict[str, float]:
        """What happens if answers up to this distance are named.

        Returns:
            ``right``, ``wrong``, ``nobody``: shares of the queries whose person is in the gallery,
            by what they are told; at equal distances the other person comes first.
            ``strangers_named``: share of all queries that are named although the pictures of their
            person are taken away.
        """
        match, other = self.table["match_distance"], self.table["other_distance"]
        known = np.isfinite(match)
        right = (match < other) & (match <= threshold)
        wrong = (other <= match) & (other <= threshold)
        shares = {"right": float(right[known].mean()), "wrong": float(wrong[known].mean())}
        nobody = 1 - shares["right"] - shares["wrong"]
        return {**shares, "nobody": nobody, "strangers_named": float((other <= threshold).mean())}

    def unnamed(self, threshold: float) -> pd.DataFrame:
        """Queries that nobody in the gallery is near enough to; the nearest to the line first.

        Returns:
            ``query``, ``name``, ``pid``, ``camid``; ``gallery`` and ``distance`` of the nearest
            answer, ``match`` (it shows the query's person), ``known`` (the person is there).
        """
        table, match = self.table, self.table["match_distance"]
        first = match < table["other_distance"]
        found = table[["query", "name", "pid", "camid"]].assign(
            gallery=np.where(first, table["match"], table["other"]),
            distance=np.minimum(match, table["other_distance"]),
            match=first,
            known=np.isfinite(match),
        )
        found = found[(found["distance"] > threshold) & np.isfinite(found["distance"])]
        return found.sort_values(["distance", "query"]).reset_index(drop=True)


def identify(
    features: Features,
    *,
    camera_filter: bool = True,
    distance: Metric | Distances = "cosine",
    progress: Progress = silent,
) -> Identification:
    """Find the nearest pictures of every query; junk is left out, distractors are others.

    Args:
        features: both sides.
        camera_filter: pictures of one person by one camera do not count, as in scoring.
        distance: as for ``mfa.retrieval.metrics.score``.
        progress: called with the completed fraction; an exception aborts.

    Raises:
        InputError: no query has a match that counts.
    """
    distances, grouped = arranged(features, camera_filter, distance)
    refuse_if_nothing_counts(features, grouped, grouped.positives())
    rows = []
    for start, keys in blocks(distances, progress):
        for query, row in enumerate(keys, start):
            own = slice(grouped.start[query], grouped.stop[query])
            match, other = np.full_like(row, np.inf), row.copy()
            match[own] = np.where(grouped.counts(query), row[own], np.inf)
            other[: grouped.junk], other[own] = np.inf, np.inf
            for kind in (match, other):
                place = int(kind.argmin())
                there = bool(np.isfinite(kind[place]))
                distance = distances.values(kind[[place]], query)[0]
                rows.append((grouped.order[place] if there else -1, distance))
    side, found = features.query, np.array(rows).reshape(-1, 4)
    return Identification(
        pd.DataFrame(
            {
                "query": np.arange(len(side)),
                "name": np.asarray(side.names).astype(str),
                "pid": side.pids,
                "camid": side.camids,
                "match": found[:, 0].astype(int),
                "match_distance": found[:, 1],
                "other": found[:, 2].astype(int),
                "other_distance": found[:, 3],
            }
        )
    )
