"""What a rank grid shows, before anything is drawn: which queries, which cards, which words.

Everything is read from the result: the order, the distances, what matched and what was counted.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.records import NO_CAMERA, ReidDataset, Sample

if TYPE_CHECKING:
    from mfa.retrieval.results import RetrievalResult

Kind = Literal["query", "match", "wrong", "ignored"]
Word = Literal["worst", "first_error", "mixed", "random"]
Choice = Word | Sequence[int]


@dataclass(frozen=True)
class Card:
    """One picture of a grid.

    Attributes:
        path: where the picture lies.
        kind: ``query``; ``match`` or ``wrong``; ``ignored`` where the metric did not count it.
        rank: place among the counted pictures, from 1; ``None`` for the query and the ignored.
        camid: camera, ``NO_CAMERA`` where unknown.
        distance: to the query, ``None`` for the query itself.
    """

    path: Path
    kind: Kind
    rank: int | None
    camid: int
    distance: float | None

    def caption(self, narrow: bool = False) -> tuple[str, str]:
        """Two short lines, rank and camera, then distance; ``narrow`` writes c3 for cam 3."""
        camera = "" if self.camid == NO_CAMERA else f"{'c' if narrow else 'cam '}{self.camid}"
        if self.kind == "query":
            return "query", camera
        place = "–" if self.rank is None else f"{self.rank}"
        between = "·" if narrow else " · "
        return f"{place}{between}{camera}" if camera else place, f"{self.distance:.3f}"


@dataclass(frozen=True)
class Row:
    """A query with the pictures one model ranked first.

    Attributes:
        query, cards: the pictures, cards in the order of the ranking.
        name: the query's file name.
        score: AP and the rank of the last match, or why the query was not counted.
    """

    query: Card
    cards: tuple[Card, ...]
    name: str
    score: str


def row(
    result: RetrievalResult, dataset: ReidDataset, query: int, k: int, include_junk: bool = False
) -> Row:
    """The first ``k`` ranks of one query; with ``include_junk`` ignored pictures are among them.

    Raises:
        InputError: no such query, or the result was made on other pictures than ``dataset``'s.
    """
    record = _record(result, query)
    ranking = result.ranking(query, k=k, include_ignored=include_junk)
    sample = sample_at(dataset.query, query, str(record["name"]), dataset, "query")
    return Row(
        query=Card(sample.path, "query", None, int(record["camid"]), None),
        cards=tuple(_card(entry, dataset) for entry in ranking.head(k).to_dict("records")),
        name=str(record["name"]),
        score=_score(record),
    )


def choose(
    result: RetrievalResult, queries: Choice, count: int = 4, seed: int = 0
) -> tuple[int, ...]:
    """Positions of the queries to show.

    Args:
        result: whose per-query table decides.
        queries: ``worst`` (lowest AP first), ``first_error`` (queries whose first answer is
            wrong, the nearest miss first: ordered by the rank of the first match), ``mixed``
            (the first answer is right and a later match comes after wrong ones, the middle AP
            first), ``random``, or positions given one by one.
        count: how many, where they are not given one by one.
        seed: of the random choice.

    Raises:
        InputError: an unknown word, or nothing to choose from.
    """
    if not isinstance(queries, str):
        chosen = tuple(int(query) for query in queries)
        for query in chosen:
            _record(result, query)
        return chosen
    table = result.per_query
    scored = table[table["AP"].notna()]
    if queries == "worst":
        picked = scored.sort_values(["AP", "query"], kind="stable")
    elif queries == "first_error":
        wrong = scored[scored["first_match_rank"] > 1]
        picked = wrong.sort_values(["first_match_rank", "query"], kind="stable")
    elif queries == "mixed":
        some = scored[(scored["first_match_rank"] == 1) & (scored["AP"] < 1)]
        from_middle = (some["AP"] - some["AP"].median()).abs()
        picked = some.iloc[np.argsort(from_middle, kind="stable")]
    elif queries == "random":
        order = np.random.default_rng(seed).permutation(len(scored))
        picked = scored.iloc[order]
    else:
        raise InputError(
            f"queries is worst, first_error, mixed, random or positions, got {queries!r}"
        )
    if picked.empty:
        words = {"first_error": "a wrong first answer", "mixed": "right and wrong answers"}
        missing = words.get(queries, "a match in the gallery")
        raise InputError(f"no query has {missing}, so there is nothing to show for {queries!r}")
    return tuple(int(query) for query in picked["query"].head(count))


def _record(result: RetrievalResult, query: int) -> dict[str, Any]:
    table = result.per_query
    if not 0 <= query < len(table):
        raise InputError(f"no query {query}; the result has queries 0 to {len(table) - 1}")
    return {str(name): value for name, value in table.iloc[query].items()}


def _score(record: dict[str, Any]) -> str:
    if pd.isna(record["AP"]):
        return f"not counted: {record['status']}"
    return f"AP {100 * record['AP']:.1f} % · last match at rank {int(record['last_match_rank']):,}"


def _card(entry: dict[Hashable, Any], dataset: ReidDataset) -> Card:
    sample = sample_at(dataset.gallery, entry["gallery"], str(entry["name"]), dataset, "gallery")
    counted = bool(entry["valid"])
    kind: Kind = "ignored" if not counted else "match" if entry["match"] else "wrong"
    return Card(
        path=sample.path,
        kind=kind,
        rank=int(entry["rank"]) if counted else None,
        camid=int(entry["camid"]),
        distance=float(entry["distance"]),
    )


def sample_at(
    samples: tuple[Sample, ...], position: int, name: str, dataset: ReidDataset, side: str
) -> Sample:
    """The sample of a row of the result.

    Pictures may have been left out of the features (unreadable ones, junk), which shifts positions
    down, never up: the first sample of that name at or after the row's own position is meant.
    """
    if position < len(samples) and samples[position].path.as_posix().endswith(name):
        return samples[position]
    for place in _places(_Kept(samples)).get(name.rsplit("/", 1)[-1], ()):
        if place >= position and samples[place].path.as_posix().endswith(name):
            return samples[place]
    raise InputError(
        f"{side} row {position} of the result is {name!r}, which {dataset.name} at {dataset.root} "
        "does not hold there; give the dataset the result was made on"
    )


class _Kept:
    """A list of samples as a key by identity: comparing thousands of samples would take longer."""

    def __init__(self, samples: tuple[Sample, ...]) -> None:
        self.samples = samples

    def __hash__(self) -> int:
        return id(self.samples)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and self.samples is other.samples


@lru_cache(maxsize=8)
def _places(kept: _Kept) -> dict[str, list[int]]:
    """Positions of each file name, rising."""
    places: dict[str, list[int]] = {}
    for place, sample in enumerate(kept.samples):
        places.setdefault(sample.path.name, []).append(place)
    return places
