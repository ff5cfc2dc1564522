"""Which queries a visitor means: an order, and words to look for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from mfa.errors import InputError
from mfa.records import Sample
from mfa.results import RetrievalResult

ORDERS = {
    "in the list's order": "list",
    "worst AP first": "worst",
    "first error at the lowest rank": "first_error",
    "best AP first": "best",
}
"""What the app offers, and the words for it in a state."""


def ordered(result: RetrievalResult, order: str, find: str = "") -> list[int]:
    """Positions of the queries that fit ``find``, in an order.

    Args:
        result: whose per-query table is searched.
        order: ``list``; ``worst`` or ``best`` AP; ``first_error``: queries with a wrong answer
            before their first match, those nearest to right first.
        find: part of a file name; ``id 7`` for a person; ``cam 2`` for a camera; both together.

    Raises:
        InputError: nothing fits, or an unknown order.
    """
    table = result.per_query
    rest = find.strip()
    for column, pattern in (("pid", r"\bid\s*(\d+)"), ("camid", r"\bcam(?:era)?\s*(\d+)")):
        found = re.search(pattern, rest, re.IGNORECASE)
        if found:
            table = table[table[column] == int(found[1])]
            rest = rest.replace(found[0], "").strip()
    if rest:
        table = table[table["name"].str.contains(rest, case=False, regex=False)]
    if order in ("worst", "best"):
        table = table[table["AP"].notna()]
        table = table.sort_values(["AP", "query"], ascending=[order == "worst", True])
    elif order == "first_error":
        table = table[table["first_match_rank"] > 1].sort_values(["first_match_rank", "query"])
    elif order != "list":
        raise InputError(f"order is list, worst, best or first_error, got {order!r}")
    if table.empty:
        raise InputError(
            f"no query fits {find!r} in this order; write part of a file name, id 7, or cam 2"
            if find
            else "no query has a wrong first answer: choose another order"
        )
    return [int(query) for query in table["query"]]


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


def cameras(camids: np.ndarray) -> list[tuple[str, int | None]]:
    """Choices of a camera for a drop-down list, all of them first."""
    return [("all cameras", None), *((f"camera {c}", int(c)) for c in np.unique(camids))]
