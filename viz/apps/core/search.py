"""Which queries a visitor means: an order, and words to look for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.progress import Progress, silent
from mfa.records import NO_CAMERA, Sample
from mfa.retrieval.results import RetrievalResult

ORDERS = {
    "in the list's order": "list",
    "worst AP first": "worst",
    "first error at rank": "first_error",
    "best AP first": "best",
}
"""What the app offers, and the words for it in a state."""

ALL = "all"
"""Choice of no camera in particular; a drop-down list shows nothing for ``None``."""


def ordered(
    result: RetrievalResult,
    order: str,
    find: str = "",
    errors: np.ndarray | None = None,
    at: int = 1,
) -> list[int]:
    """Positions of the queries that fit ``find``, in an order.

    Args:
        result: whose per-query table is searched.
        order: ``list``; ``worst`` or ``best`` AP; ``first_error``: queries whose first wrong
            answer is at rank ``at``, those with the earliest match first.
        find: part of a file name; ``id 7`` for a person; ``cam 2`` for a camera; both together.
        errors: of ``first_errors``; needed for that order.
        at: rank of the first wrong answer.

    Raises:
        InputError: nothing fits, or an unknown order.
    """
    table = narrowed(result.per_query, find)
    if order in ("worst", "best"):
        table = table[table["AP"].notna()]
        table = table.sort_values(["AP", "query"], ascending=[order == "worst", True])
    elif order == "first_error" and errors is not None:
        table = table[errors[table["query"]] == at].sort_values(["first_match_rank", "query"])
    elif order != "list":
        raise InputError(f"order is list, worst, best or first_error, got {order!r}")
    if table.empty:
        raise InputError(
            f"no query fits {find!r} in this order; write part of a file name, id 7, or cam 2"
            if find
            else f"no query has its first wrong answer at rank {at}; choose another rank or order"
        )
    return [int(query) for query in table["query"]]


def narrowed(table: pd.DataFrame, words: str) -> pd.DataFrame:
    """The rows of pictures that fit some words.

    Args:
        table: with ``pid``, ``camid`` and ``name``.
        words: see ``ordered``; no words fit everything.
    """
    rest = words.strip()
    for column, pattern in (("pid", r"\bid\s*(\d+)"), ("camid", r"\bcam(?:era)?\s*(\d+)")):
        found = re.search(pattern, rest, re.IGNORECASE)
        if found:
            table = table[table[column] == int(found[1])]
            rest = rest.replace(found[0], "").strip()
    if rest:
        table = table[table["name"].str.contains(rest, case=False, regex=False)]
    return table


def first_errors(result: RetrievalResult, progress: Progress = silent) -> np.ndarray:
    """Rank of each query's first wrong answer, (Q,); 0 where the query is not counted.

    That is one more than the number of matches before any wrong answer.

    Args:
        result: with its features.
        progress: called with the share done; what it raises ends the work.
    """
    found = np.zeros(len(result.per_query), dtype=int)
    for done, row in enumerate(result.counted.to_dict("records")):
        progress(done / len(found))
        if row["first_match_rank"] > 1:  # known without ranking anything
            found[row["query"]] = 1
            continue
        match = result.ranking(row["query"], row["positives"] + 1)["match"].to_numpy()
        found[row["query"]] = 1 + (len(match) if match.all() else int(match.argmin()))
    return found


def page_of(queries: Sequence[int], query: int, size: int) -> Sequence[int]:
    """The page of ``size`` queries that holds ``query``; the first one where none does."""
    place = list(queries).index(query) if query in queries else 0
    start = place // size * size
    return queries[start : start + size]


def position_of(samples: tuple[Sample, ...], path: Path) -> int:
    """Where in a list a picture file stands."""
    return _positions(_ById(samples))[path]


class _ById:
    """A list of samples as a key: comparing thousands of samples would take longer."""

    def __init__(self, samples: tuple[Sample, ...]) -> None:
        self.samples = samples

    def __hash__(self) -> int:
        return id(self.samples)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.samples is self.samples


@lru_cache(maxsize=8)
def _positions(key: _ById) -> dict[Path, int]:
    return {sample.path: place for place, sample in enumerate(key.samples)}


def cameras(samples: Iterable[Sample]) -> list[tuple[str, int | str]]:
    """Choices of a camera for a drop-down list, ``ALL`` of them first."""
    known = sorted({sample.camid for sample in samples} - {NO_CAMERA})
    return [("all cameras", ALL), *((f"camera {camid}", camid) for camid in known)]


def camera_of(choice: int | str) -> int | None:
    """The camera that a choice of ``cameras`` stands for, ``None`` for all."""
    return None if choice == ALL else int(choice)


def choice_of(camera: int | None) -> int | str:
    """The choice of ``cameras`` that stands for a camera."""
    return ALL if camera is None else camera
