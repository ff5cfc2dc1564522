"""Choose queries of a scored retrieval by words, score or first error; give one a descriptor."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.progress import Progress, silent
from mfa.records import Features
from mfa.retrieval.results import RetrievalResult

ORDERS = ("list", "worst", "first_error", "best")


def select_queries(
    result: RetrievalResult,
    order: str = "list",
    find: str = "",
    *,
    at: int = 1,
    progress: Progress = silent,
) -> list[int]:
    """Rows of the queries that fit ``find``, in an order.

    Args:
        result: whose per-query table is searched; with its features for ``first_error``.
        order: ``list``; ``worst`` or ``best`` AP; ``first_error``: queries whose first wrong
            answer is at rank ``at``, those with the earliest match first.
        find: see ``matching``.
        at: rank of the first wrong answer.
        progress: see ``first_errors``.

    Raises:
        InputError: nothing fits, or an unknown order.
    """
    if order not in ORDERS:
        raise InputError(f"order is {', '.join(ORDERS)}, got {order!r}")
    table = matching(result.per_query, find)
    if order in ("worst", "best"):
        table = table[table["AP"].notna()]
        table = table.sort_values(["AP", "query"], ascending=[order == "worst", True])
    elif order == "first_error":
        errors = first_errors(result, progress)
        table = table[errors[table["query"]] == at].sort_values(["first_match_rank", "query"])
    if table.empty:
        raise InputError(
            f"no query fits {find!r} in this order; write part of a file name, id 7, or cam 2"
            if find
            else f"no query has its first wrong answer at rank {at}; choose another rank or order"
        )
    return [int(query) for query in table["query"]]


def matching(table: pd.DataFrame, words: str) -> pd.DataFrame:
    """The rows of a table with ``pid``, ``camid`` and ``name`` that fit some words.

    The words are part of a file name, ``id 7`` for a person, ``cam 2`` for a camera, or any of them
    together. No words fit everything.
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

    That is one more than the number of matches before any wrong answer. ``result`` needs its
    features; ``progress`` is called with the completed fraction, and an exception aborts.
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


def with_descriptor(features: Features, row: int, descriptor: np.ndarray) -> Features:
    """The features of one query alone, with ``descriptor`` (D,) instead of its own.

    It asks what an edited picture of query ``row`` would find.
    """
    query = features.query.take(np.array([row]))
    return replace(features, query=replace(query, features=descriptor[None].astype(np.float32)))
