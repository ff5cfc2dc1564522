"""Protocols beside the standard one: single gallery shot, multi-query.

The camera filter and its absence are an option of ``score``; a partial set is two groups of a
feature file. Each protocol says in the card what it did.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.files import csv_text, write_atomically
from mfa.progress import Progress, silent
from mfa.records import Features, FeatureSet
from mfa.retrieval.distances import Distances, Metric, blocks, normalised
from mfa.retrieval.gallery import COUNTED, GroupedGallery
from mfa.retrieval.metrics import (
    check_sides,
    make_distances,
    query_table,
    refuse_if_nothing_counts,
)
from mfa.retrieval.protocol_card import protocol_card
from mfa.retrieval.results import SUMMARY_RANKS, as_percent

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
        """Mean over the draws of each figure, and ``..._spread``: standard deviation of draws.

        Args:
            percent: in percent with two digits instead of fractions in full.
        """
        show = as_percent if percent else float
        figures: dict[str, Any] = {"unit": "percent" if percent else "fraction"}
        for name in self.per_draw.columns:
            figures[name] = show(self.per_draw[name].mean())
            figures[f"{name}_spread"] = show(self.per_draw[name].std(ddof=1))
        return {
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
        path = Path(path)
        content = {"summary": self.summary(), "card": self.card}
        write_atomically(path.with_suffix(".csv"), csv_text(self.per_query))
        write_atomically(path, json.dumps(content, indent=2) + "\n")


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

    Raises:
        InputError: fewer than 2 draws or more than ``MAX_DRAWS``, a negative seed, or what
            ``score`` raises.
    """
    check_draws(draws)
    if seed < 0:
        raise InputError(f"the seed of the draws is 0 or more, got {seed}")
    check_sides(features)
    distance = make_distances(features, distance)
    grouped = GroupedGallery(features.query, features.gallery, camera_filter)
    positives = np.array([int(grouped.counts(i).sum()) for i in range(len(features.query))])
    refuse_if_nothing_counts(features, grouped, positives)
    draw = _Draw(grouped, draws, seed)
    ranks = _drawn_ranks(distance.reordered(grouped.order), grouped, draw, positives, progress)
    protocol = f"single gallery shot: one picture per identity, mean of {draws} draws"
    card = protocol_card(
        features, camera_filter=camera_filter, distance=distance.card(), protocol=protocol
    )
    return DrawnResult(
        per_draw=_per_draw(ranks[positives > 0]),
        per_query=_per_query(features, grouped, ranks, positives),
        gallery=len(features.gallery),
        drawn=draw.identities,
        card={**card, "draws": draws, "draw_seed": seed},
    )


def check_draws(draws: int) -> None:
    """Raise ``InputError`` unless 2 <= ``draws`` <= ``MAX_DRAWS``."""
    if not 2 <= draws <= MAX_DRAWS:
        raise InputError(
            f"single-shot takes 2 to {MAX_DRAWS:,} draws (their spread needs 2), got {draws:,}"
        )


def multi_query(
    features: Features,
    pictures: FeatureSet | None = None,
    pooling: Literal["mean", "max"] = "mean",
) -> Features:
    """Queries that stand for several pictures of a person by one camera.

    Args:
        features: both sides.
        pictures: where the further pictures are (Market-1501's ``gt_bbox``): each query becomes
            the pool of those with its identity and camera, or stays itself where there are none.
            ``None`` pools the query list itself: one query for each identity and camera.
        pooling: mean or maximum of the L2-normalised features.

    Where the camera is unknown, pictures are pooled by identity alone.

    Raises:
        InputError: no such pooling, or ``pictures`` of another width.
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
    for row, key in enumerate(zip(source.pids.tolist(), source.camids.tolist(), strict=True)):
        members.setdefault(key, []).append(row)
    pool = np.mean if pooling == "mean" else np.max
    pooled = {key: pool(unit[rows], axis=0) for key, rows in members.items()}
    keys = list(zip(query.pids.tolist(), query.camids.tolist(), strict=True))
    everyone = list(range(len(keys)))
    chosen = everyone if pictures is not None else [rows[0] for rows in members.values()]
    single = normalised(query.features)
    pooled_rows = [pooled.get(keys[i], single[i]) for i in chosen]
    source_words = "the query list's" if pictures is None else "further"
    words = f"multi-query: {pooling} of {source_words} pictures of an identity by a camera"
    return replace(
        features,
        query=replace(
            query.take(np.array(chosen)), features=np.array(pooled_rows, dtype=np.float32)
        ),
        origin={**features.origin, "query_protocol": words},
    )


class _Draw:
    """Which gallery columns each draw holds.

    Attributes:
        picks: (draws, identities) columns, in order of identity.
        luck: (draws, Q) uniform numbers for queries whose own picture must be drawn again.
    """

    def __init__(self, grouped: GroupedGallery, draws: int, seed: int) -> None:
        pids, first, sizes = np.unique(
            grouped.pids[grouped.junk :], return_index=True, return_counts=True
        )
        rng = np.random.default_rng(seed)
        self.identities = len(pids)
        self.picks = grouped.junk + first + (rng.random((draws, len(pids))) * sizes).astype(int)
        self.luck = rng.random((draws, len(grouped.start)))
        self._first = grouped.junk + first

    def identity(self, grouped: GroupedGallery, query: int) -> int:
        """Position of a query's own identity among the drawn ones."""
        return int(np.searchsorted(self._first, grouped.start[query]))

    def own(self, grouped: GroupedGallery, query: int) -> np.ndarray:
        """(draws,) column of the query's own picture, drawn again where it may not count."""
        counts = grouped.counts(query)
        start = grouped.start[query]
        picked = self.picks[:, self.identity(grouped, query)]
        allowed = start + np.flatnonzero(counts)
        again = allowed[(self.luck[:, query] * len(allowed)).astype(int)]
        return np.asarray(np.where(counts[picked - start], picked, again))


def _drawn_ranks(
    distances: Distances,
    grouped: GroupedGallery,
    draw: _Draw,
    positives: np.ndarray,
    progress: Progress,
) -> np.ndarray:
    """(Q, draws) rank of each query's own picture; 0 for a query without positives."""
    ranks = np.zeros((len(positives), len(draw.picks)), dtype=np.int32)
    for start, keys in blocks(distances):
        for query, row in enumerate(keys, start):
            progress(query / len(positives))
            if not positives[query]:
                continue
            drawn = row.take(draw.picks)
            own = row.take(draw.own(grouped, query))
            drawn[:, draw.identity(grouped, query)] = np.inf
            ranks[query] = 1 + (drawn <= own[:, None]).sum(axis=1)
    return ranks


def _per_draw(ranks: np.ndarray) -> pd.DataFrame:
    """Figures of each draw from ``ranks`` (counted queries, draws)."""
    figures = {f"rank{k}": (ranks <= k).mean(axis=0) for k in SUMMARY_RANKS}
    figures["mAP"] = (1 / ranks).mean(axis=0)
    figures["mAP_trapezoid"] = (((ranks == 1) + 1 / ranks) / 2).mean(axis=0)
    return pd.DataFrame(figures)


def _per_query(
    features: Features, grouped: GroupedGallery, ranks: np.ndarray, positives: np.ndarray
) -> pd.DataFrame:
    scored = positives > 0
    precision = np.full(len(ranks), np.nan)
    precision[scored] = (1 / ranks[scored]).mean(axis=1)
    return query_table(
        features,
        grouped,
        positives,
        {"rank1": np.where(scored, (ranks == 1).mean(axis=1), np.nan), "AP": precision},
    )
