"""CMC, mAP and mINP from the ranks of the positives alone.

Only the positives are ranked: per query, count how many counted pictures are at most as far as
each positive. That is a pass over the distances instead of a sort of them, and it gives everything
at once: both AP rules, INP, CMC and the place of every match.

Ties are pessimistic: a positive ranks after every non-match at the same distance, so a model that
maps all pictures to one point scores as badly as it deserves, whatever the order of the files.

A tie is equality of the distances as computed in float32. Copies of a picture tie exactly. Other
distances that are equal on paper may differ in their last digit (about 1e-7): another processor or
another shape of matrix product rounds differently. Of 1,246 cases tried, 16 changed with the size
of the blocks in which distances are made, by up to .013 mAP. So that size is fixed, and a ranking
that is shown is computed in the block of its score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.processes import ALONE, ProcessGroup
from mfa.progress import Progress, silent
from mfa.records import JUNK, Features
from mfa.retrieval.distances import Distances, FeatureDistances, Metric, blocks
from mfa.retrieval.gallery import COUNTED, GroupedGallery
from mfa.retrieval.protocol_card import protocol_card
from mfa.retrieval.ranking import Ranker
from mfa.retrieval.results import RetrievalResult

_SORT_PAYS = 200
"""With more candidates than this per positive, counting for each positive beats sorting."""


@dataclass(frozen=True)
class PositiveRanks:
    """Where the positives of every query stand.

    Attributes:
        ranks: ranks (from 1) of the positives of all queries, one query after the other, rising
            within a query.
        offsets: (Q + 1,) query i owns ``ranks[offsets[i]:offsets[i + 1]]``; may be empty.
    """

    ranks: np.ndarray
    offsets: np.ndarray

    @property
    def positives(self) -> np.ndarray:
        """(Q,) number of positives of each query."""
        return np.diff(self.offsets)


def score(
    features: Features,
    *,
    camera_filter: bool = True,
    max_rank: int = 50,
    distance: Metric | Distances = "cosine",
    progress: Progress = silent,
    ranks: ProcessGroup = ALONE,
) -> RetrievalResult:
    """Rank the gallery for every query and score the ranking.

    Args:
        features: both sides; junk (pid -1) never counts, distractors count as non-matches.
        camera_filter: leave out gallery pictures of the query's person by the query's camera.
        max_rank: length of the CMC curve.
        distance: ``cosine``, ``euclidean``, or ready-made distances (re-ranking).
        progress: called with the completed fraction before each block; an exception aborts.
        ranks: processes that share the queries; all must call, and all get the result.

    Memory is about 1,280 bytes per gallery picture.

    Raises:
        InputError: no query can be scored, an empty side, or numbers out of range; the message
            counts the reasons and says what to do.
    """
    if max_rank < 1:
        raise InputError(f"max_rank must be 1 or more, got {max_rank}")
    distances, grouped = arranged(features, camera_filter, distance)
    found = rank_positives(distances, grouped, progress, ranks)
    refuse_if_nothing_counts(features, grouped, found.positives)
    figures = {
        "AP": average_precision(found),
        "AP_trapezoid": trapezoid_precision(found),
        "INP": inverse_negative_penalty(found),
        "first_match_rank": pd.array(first_ranks(found), dtype="Int64"),
        "last_match_rank": pd.array(last_ranks(found), dtype="Int64"),
    }
    return RetrievalResult(
        per_query=query_table(features, grouped, found.positives, figures),
        cmc=cmc(found, max_rank),
        gallery=len(features.gallery),
        card=protocol_card(features, camera_filter=camera_filter, distance=distances.card()),
        features=features,
        ranker=Ranker(features, grouped, distances),
    )


def rank_positives(
    distances: Distances,
    grouped: GroupedGallery,
    progress: Progress = silent,
    ranks: ProcessGroup = ALONE,
) -> PositiveRanks:
    """Ranks of all positives; ``distances`` has its columns in ``grouped.order``."""
    own = {
        query: _ranks(row, grouped, query)
        for start, keys in blocks(distances, progress, ranks)
        for query, row in enumerate(keys, start)
    }
    by_query = {query: row for part in ranks.from_all(own) for query, row in part.items()}
    found = [by_query[query] for query in sorted(by_query)]
    offsets = np.concatenate([[0], np.cumsum([len(ranks) for ranks in found])])
    return PositiveRanks(np.concatenate(found), offsets.astype(np.int64))


def average_precision(found: PositiveRanks) -> np.ndarray:
    """(Q,) mean over the positives of precision at each: (1/P) sum k / rank_k; NaN without any.

    The step rule, as torchreid and fast-reid count.
    """
    return _mean(found, _nth(found) / found.ranks)


def trapezoid_precision(found: PositiveRanks) -> np.ndarray:
    """(Q,) AP with precision averaged just before and at each positive; NaN without any.

    The rule of Market-1501's own evaluation code (after the Oxford buildings benchmark): precision
    before the k-th positive is (k - 1) / (rank_k - 1), and 1 at the top of the list.
    """
    nth, ranks = _nth(found), found.ranks
    before = np.where(ranks == 1, 1.0, (nth - 1) / np.maximum(ranks - 1, 1))
    return _mean(found, (before + nth / ranks) / 2)


def inverse_negative_penalty(found: PositiveRanks) -> np.ndarray:
    """(Q,) P / rank of the last positive (Ye et al. 2021); NaN without any."""
    return np.asarray(found.positives / last_ranks(found))


def first_ranks(found: PositiveRanks) -> np.ndarray:
    """(Q,) rank of the first positive; NaN without any."""
    return _at(found, found.offsets[:-1])


def last_ranks(found: PositiveRanks) -> np.ndarray:
    """(Q,) rank of the last positive; NaN without any."""
    return _at(found, found.offsets[1:] - 1)


def cmc(found: PositiveRanks, max_rank: int) -> np.ndarray:
    """(max_rank,) share of the scored queries with a positive at or before each rank."""
    first = first_ranks(found)
    first = first[np.isfinite(first)].astype(np.int64)
    histogram = np.bincount(first[first <= max_rank], minlength=max_rank + 1)[1:]
    return np.asarray(np.cumsum(histogram) / max(len(first), 1))


def arranged(
    features: Features, camera_filter: bool, distance: Metric | Distances
) -> tuple[Distances, GroupedGallery]:
    """Distances whose columns are grouped by identity, and which of them count for which query."""
    for name, side in (("query", features.query), ("gallery", features.gallery)):
        if not len(side):
            raise InputError(f"the {name} list is empty; there is nothing to score")
    distances = make_distances(features, distance)
    grouped = GroupedGallery(features.query, features.gallery, camera_filter)
    return distances.reordered(grouped.order), grouped


def make_distances(features: Features, distance: Metric | Distances) -> Distances:
    """The distances a scoring asks for, by name or ready-made."""
    if isinstance(distance, str):
        return FeatureDistances(features.query.features, features.gallery.features, distance)
    if distance.shape != (len(features.query), len(features.gallery)):
        raise InputError(
            f"distances of shape {distance.shape} do not fit {len(features.query)} queries and "
            f"{len(features.gallery)} gallery pictures"
        )
    return distance


def query_table(
    features: Features, grouped: GroupedGallery, positives: np.ndarray, figures: Mapping[str, Any]
) -> pd.DataFrame:
    """One row per query: who it is, its figures, its positives, and why it was dropped."""
    query = features.query
    status = np.full(len(query), COUNTED, dtype=object)
    for row in np.flatnonzero(positives == 0):
        status[row] = grouped.why_dropped(int(row))
    return pd.DataFrame(
        {
            "query": np.arange(len(query)),
            "name": np.asarray(query.names).astype(str),
            "pid": query.pids,
            "camid": query.camids,
            **figures,
            "positives": positives,
            "status": status.astype(str),
        }
    )


def refuse_if_nothing_counts(
    features: Features, grouped: GroupedGallery, positives: np.ndarray
) -> None:
    """Raise ``InputError`` where no query has a positive left; it explains why and what to do."""
    if positives.any():
        return
    if (features.gallery.pids == JUNK).all():
        raise InputError(
            "no gallery picture has a label, so nothing can be scored",
            "rank the gallery instead: mfa evaluate RUN --ranking FILE, mfa-viz grid RUN",
        )
    absent = int(np.count_nonzero(grouped.stop == grouped.start))
    same_camera = len(positives) - absent
    parts = []
    if same_camera:
        parts.append(
            f"{same_camera} have pictures of their person in the gallery, all by the query's own "
            "camera, and the camera filter leaves those out (give the pictures their true "
            "camera numbers, or switch the filter off: camera_filter=False, --no-camera)"
        )
    if absent:
        query, gallery = (
            f"{s.pids.min()} to {s.pids.max()}" for s in (features.query, features.gallery)
        )
        parts.append(
            f"{absent} have no picture of their person in the gallery (check that query and "
            f"gallery number identities alike: query pids {query}, gallery pids {gallery})"
        )
    raise InputError(f"none of {len(positives)} queries can be scored: {'; '.join(parts)}")


def _ranks(keys: np.ndarray, grouped: GroupedGallery, query: int) -> np.ndarray:
    """Ranks of the positives of one query, rising; ``keys`` is its row (G,)."""
    own = keys[grouped.start[query] : grouped.stop[query]]
    positives = own[grouped.counts(query)]
    positives.sort()
    if not len(positives):
        return np.empty(0, dtype=np.int64)
    counted = keys[grouped.junk :]
    near = counted.compress(counted <= positives[-1])
    own = np.sort(own)
    if len(near) > _SORT_PAYS * len(positives):
        at_most = np.array([np.count_nonzero(near <= key) for key in positives])
    else:
        near.sort()
        at_most = near.searchsorted(positives, "right")
    nonmatches = at_most - own.searchsorted(positives, "right")
    return np.asarray(nonmatches + np.arange(1, len(positives) + 1))


def _nth(found: PositiveRanks) -> np.ndarray:
    """1, 2, ... within each query, aligned with ``ranks``."""
    before = np.repeat(found.offsets[:-1], found.positives)
    return np.asarray(np.arange(1, len(found.ranks) + 1) - before)


def _mean(found: PositiveRanks, values: np.ndarray) -> np.ndarray:
    """(Q,) mean of each query's stretch of ``values``; NaN where it is empty."""
    result = np.full(len(found.positives), np.nan)
    some = found.positives > 0
    if some.any():
        result[some] = np.add.reduceat(values, found.offsets[:-1][some]) / found.positives[some]
    return result


def _at(found: PositiveRanks, places: np.ndarray) -> np.ndarray:
    result, some = np.full(len(found.positives), np.nan), found.positives > 0
    result[some] = found.ranks[places[some]]
    return result
