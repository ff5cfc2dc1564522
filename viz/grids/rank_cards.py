"""What a rank grid shows, before anything is drawn: which queries, which cards, which words.

Everything is read from the result: the order, the distances, what matched and what was counted.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from mfa.datasets.image_list import ImageList, ListedImage
from mfa.errors import InputError
from mfa.records import NO_CAMERA, FeatureRow, Features, ReidDataset
from mfa.retrieval.nearest import ranking_list

if TYPE_CHECKING:
    from mfa.retrieval.results import RetrievalResult

Kind = Literal["query", "match", "wrong", "ignored", "unlabelled"]
Word = Literal["worst", "first_error", "mixed", "random"]
Choice = Word | Sequence[int]


@dataclass(frozen=True)
class Card:
    """One picture of a grid.

    Attributes:
        image: the picture, resolved.
        kind: ``query``; ``match`` or ``wrong``; ``ignored`` where the metric did not count it;
            ``unlabelled`` where nobody knows who is in the gallery.
        rank: place among the counted pictures, from 1; ``None`` for the query and the ignored.
        distance: to the query, ``None`` for the query itself.
    """

    image: ListedImage
    kind: Kind
    rank: int | None
    distance: float | None

    def caption(self, narrow: bool = False) -> tuple[str, str]:
        """Two short lines, rank and camera, then distance; ``narrow`` writes c3 for cam 3."""
        camid = self.image.camid
        camera = "" if camid == NO_CAMERA else f"{'c' if narrow else 'cam '}{camid}"
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
        score: AP and the rank of the last match, or why the query was not counted; empty where
            the gallery has no labels.
    """

    query: Card
    cards: tuple[Card, ...]
    name: str
    score: str


def rows(
    result: RetrievalResult,
    dataset: ReidDataset,
    queries: Sequence[int],
    k: int,
    include_junk: bool = False,
) -> list[Row]:
    """The first ``k`` ranks of each query, with ``include_junk`` ignored pictures among them."""
    records = [_record(result, query) for query in queries]
    rankings = [result.ranking(query, k=k, include_ignored=include_junk) for query in queries]
    assert result.features is not None  # else ``ranking`` has refused
    scores = [score_words(record) for record in records]
    shown = [ranking.head(k) for ranking in rankings]
    return _rows(result.features, dataset, queries, shown, scores)


def unlabelled_rows(
    features: Features, dataset: ReidDataset, queries: Sequence[int], k: int
) -> list[Row]:
    """The ``k`` nearest pictures of each query in a gallery without labels."""
    known = range(len(features.query))
    if strange := [query for query in queries if query not in known]:
        raise InputError(f"no query {strange[0]}; the features have queries 0 to {known[-1]}")
    ranked = ranking_list(features.query.take(np.array(queries)), features.gallery, k)
    rankings = [ranking for _, ranking in ranked.groupby("query")]
    return _rows(features, dataset, queries, rankings, [""] * len(queries))


def _rows(
    features: Features,
    dataset: ReidDataset,
    queries: Sequence[int],
    rankings: Sequence[pd.DataFrame],
    scores: Sequence[str],
) -> list[Row]:
    asked = ImageList.of(dataset, "query", features.query)
    found = ImageList.of(dataset, "gallery", features.gallery)
    rows = []
    for query, ranking, score in zip(queries, rankings, scores, strict=True):
        image = asked.at_row(FeatureRow(query))
        cards = tuple(_card(entry, found) for entry in ranking.to_dict("records"))
        rows.append(Row(Card(image, "query", None, None), cards, image.name, score))
    return rows


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
        picked = scored.iloc[np.random.default_rng(seed).permutation(len(scored))]
    else:
        raise InputError(
            f"queries is worst, first_error, mixed, random or positions, got {queries!r}"
        )
    if picked.empty:
        words = {"first_error": "a wrong first answer", "mixed": "right and wrong answers"}
        missing = words.get(queries, "a match in the gallery")
        raise InputError(f"no query has {missing}, so there is nothing to show for {queries!r}")
    return tuple(int(query) for query in picked["query"].head(count))


def _record(result: RetrievalResult, query: int) -> pd.Series[Any]:
    table = result.per_query
    if not 0 <= query < len(table):
        raise InputError(f"no query {query}; the result has queries 0 to {len(table) - 1}")
    return table.iloc[query]


def score_words(record: pd.Series[Any]) -> str:
    """What a row of ``per_query`` says: AP and the rank of the last match, or why not counted."""
    if pd.isna(record["AP"]):
        return f"not counted: {record['status']}"
    return f"AP {100 * record['AP']:.1f} % · last match at rank {int(record['last_match_rank']):,}"


def _card(entry: dict[Hashable, Any], images: ImageList) -> Card:
    kind: Kind = "unlabelled"
    if "match" in entry:
        kind = "ignored" if not entry["valid"] else "match" if entry["match"] else "wrong"
    rank = None if kind == "ignored" else int(entry["rank"])
    image = images.at_row(FeatureRow(entry["gallery"]))
    return Card(image, kind, rank, float(entry["distance"]))
