"""Protocols beside the standard one: single gallery shot, multi-query.

The camera filter and its absence are an option of ``score``; a partial set is two groups of a
feature file. Each protocol says in the card what it did.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.progress import Progress, silent
from mfa.records import Features, FeatureSet
from mfa.retrieval.distances import Distances, Metric, blocks, normalised
from mfa.retrieval.gallery import COUNTED, GroupedGallery
from mfa.retrieval.metrics import arranged, query_table, refuse_if_nothing_counts
from mfa.retrieval.protocol_card import protocol_card
from mfa.retrieval.results import SUMMARY_RANKS, as_percent, save_with_table

MAX_DRAWS = 10_000
"""More draws change no printed digit and need memory for each query."""


@dataclass(frozen=True)
class DrawnResult:
    """Single-gallery-shot figures over many draws. Figures are fractions in [0, 1].

    Attributes:
        per_draw: one row per draw: ``rank1``, ``rank3``, ..., ``mAP``, ``mAP_trapezoid``.
        per_query: one row per query: ``query``, ``name``, ``pid``, ``camid``, ``rank1`` (share
            of draws that were right), ``AP`` (mean over draws; NaN where dropped), ``positives``
            (gallery pictures one is drawn from), ``status``.
        gallery: number of gallery pictures drawn from, junk included.
        drawn: number of pictures in a drawn gallery (one per identity).
        card: the protocol card.
    """

    per_draw: pd.DataFrame
    per_query: pd.DataFrame
    gallery: int
    drawn: int
    card: dict[str, Any]

    def summary(self, *, percent: bool = False) -> dict[str, Any]:
        """Mean of each figure over the draws, and their standard deviation as ``..._spread``.

        ``percent`` gives percent with two digits instead of fractions in full.
        """
        show = as_percent if percent else float
        figures: dict[Any, float] = {}
        for name, values in self.per_draw.items():
            figures |= {name: show(values.mean()), f"{name}_spread": show(values.std(ddof=1))}
        return {
            "unit": "percent" if percent else "fraction",
            **figures,
            "queries": len(self.per_query),
            "gallery": self.gallery,
            "gallery_drawn": self.drawn,
            "dropped_queries": int((self.per_query["status"] != COUNTED).sum()),
            "draws": len(self.per_draw),
            "seed": self.card["draw_seed"],
        }

    def save(self, path: Path | str) -> None:
        """Write ``path`` (JSON: summary, card) and beside it a ``.csv`` of ``per_query``.

        Raises:
            InputError: they cannot be written.
        """
        save_with_table(path, {"summary": self.summary(), "card": self.card}, self.per_query)


def single_shot(
    features: Features,
    *,
    draws: int = 100,
    seed: int = 0,
    camera_filter: bool = True,
    distance: Metric | Distances = "cosine",
    progress: Progress = silent,
) -> DrawnResult:
    """Score galleries of one picture per identity, drawn at random, and average.

    Each draw takes one picture of every gallery identity, the same for all queries; where the
    camera filter rules out the picture of a query's own person, another that it allows is drawn
    for that query. Distractors (pid 0) count as one identity. With one match per query, AP is
    1 / rank and equals INP. ``progress`` is called with the completed fraction.
    """
    check_draws(draws)
    if seed < 0:
        raise InputError(f"the seed of the draws is 0 or more, got {seed}")
    distances, grouped = arranged(features, camera_filter, distance)
    positives = grouped.positives()
    refuse_if_nothing_counts(features, grouped, positives)
    ranks, drawn = _drawn_ranks(distances, grouped, draws, seed, progress)
    scored = positives > 0
    precision = np.full(len(ranks), np.nan)
    precision[scored] = (1 / ranks[scored]).mean(axis=1)
    rank1 = np.where(scored, (ranks == 1).mean(axis=1), np.nan)
    protocol = f"single gallery shot: one picture per identity, mean of {draws} draws"
    card = protocol_card(
        features, camera_filter=camera_filter, distance=distances.card(), protocol=protocol
    )
    return DrawnResult(
        per_draw=_per_draw(ranks[scored]),
        per_query=query_table(features, grouped, positives, {"rank1": rank1, "AP": precision}),
        gallery=len(features.gallery),
        drawn=drawn,
        card={**card, "draws": draws, "draw_seed": seed},
    )


def check_draws(draws: int) -> None:
    """Raise ``InputError`` unless 2 <= ``draws`` <= ``MAX_DRAWS``."""
    if not 2 <= draws <= MAX_DRAWS:
        raise InputError(
            f"single-shot takes 2 to {MAX_DRAWS:,} draws (their spread needs 2), got {draws:,}"
        )


def multi_query(
    features: Features, pictures: FeatureSet | None = None, pooling: Literal["mean", "max"] = "mean"
) -> Features:
    """Queries that stand for several pictures of a person by one camera.

    Args:
        features: both sides.
        pictures: where the further pictures are (Market-1501's ``gt_bbox``): each query becomes
            the pool of those with its identity and camera, or stays itself where there are none.
            ``None`` pools the query list itself: one query for each identity and camera.
        pooling: mean or maximum of the L2-normalised features.

    Where the camera is unknown, pictures are pooled by identity alone.
    """
    if pooling not in ("mean", "max"):
        raise InputError(f"pooling is mean or max, got {pooling!r}")
    query = features.query
    source = query if pictures is None else pictures
    if source.features.shape[1] != query.features.shape[1]:
        raise InputError(
            f"multi-query pictures have {source.features.shape[1]} columns, queries "
            f"{query.features.shape[1]}"
        )
    unit = normalised(source.features)
    members: dict[tuple[int, int], list[int]] = {}
    for row, key in enumerate(_keys(source)):
        members.setdefault(key, []).append(row)
    pool = np.mean if pooling == "mean" else np.max
    pooled = {key: pool(unit[rows], axis=0) for key, rows in members.items()}
    if pictures is None:
        query = query.take(np.array([rows[0] for rows in members.values()]))
    alone = zip(_keys(query), normalised(query.features), strict=True)
    rows = np.array([pooled.get(key, own) for key, own in alone], dtype=np.float32)
    source_words = "the query list's" if pictures is None else "further"
    words = f"multi-query: {pooling} of {source_words} pictures of an identity by a camera"
    return replace(
        features,
        query=replace(query, features=rows),
        origin={**features.origin, "query_protocol": words},
    )


def _keys(side: FeatureSet) -> list[tuple[int, int]]:
    return list(zip(side.pids.tolist(), side.camids.tolist(), strict=True))


def _drawn_ranks(
    distances: Distances, grouped: GroupedGallery, draws: int, seed: int, progress: Progress
) -> tuple[np.ndarray, int]:
    """(Q, draws) rank of each query's own picture; 0 for a query without one that may count.

    Returns the number of identities, each of which has a picture in a drawn gallery, as well.
    """
    _, first, sizes = np.unique(grouped.pids[grouped.junk :], return_index=True, return_counts=True)
    rng = np.random.default_rng(seed)
    first += grouped.junk
    picks = first + (rng.random((draws, len(first))) * sizes).astype(int)
    luck = rng.random((draws, len(grouped.start)))
    ranks = np.zeros((len(grouped.start), draws), dtype=np.int32)
    for start, keys in blocks(distances):
        for query, row in enumerate(keys, start):
            progress(query / len(ranks))
            counts, own = grouped.counts(query), grouped.start[query]
            allowed = own + np.flatnonzero(counts)
            if not len(allowed):
                continue
            identity = np.searchsorted(first, own)
            picked = picks[:, identity]
            # Where the picture drawn for everybody may not count, another one is drawn.
            again = allowed[(luck[:, query] * len(allowed)).astype(int)]
            nearest = row.take(np.where(counts[picked - own], picked, again))
            drawn = row.take(picks)
            drawn[:, identity] = np.inf
            ranks[query] = 1 + (drawn <= nearest[:, None]).sum(axis=1)
    return ranks, len(first)


def _per_draw(ranks: np.ndarray) -> pd.DataFrame:
    """Figures of each draw from ``ranks`` (counted queries, draws)."""
    figures = {f"rank{k}": (ranks <= k).mean(axis=0) for k in SUMMARY_RANKS}
    figures["mAP"] = (1 / ranks).mean(axis=0)
    figures["mAP_trapezoid"] = (((ranks == 1) + 1 / ranks) / 2).mean(axis=0)
    return pd.DataFrame(figures)
