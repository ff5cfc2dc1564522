"""Why queries fail: tags computed from scores, cameras, pictures and branches (ours).

A tag states a fact about a query, not a cause; several may hold at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from PIL import Image

from mfa.errors import InputError
from mfa.records import Sample
from mfa.retrieval.branch_weights import score_branches
from mfa.retrieval.results import RetrievalResult

TAGS: Mapping[str, str] = {
    "near miss": "the first match is at rank 2 to 5",
    "far off": "no match among the first 20",
    "same background": "the wrong first answer is by the query's own camera",
    "lookalike": "the wrong first answer is nearer than nine in ten right first answers are",
    "dark": "among the darkest tenth of the queries",
    "bright": "among the brightest tenth",
    "small box": "among the tenth of the queries with the smallest pictures",
    "branches disagree": "a branch alone has a match first, the whole has not",
    "no branch knows": "no branch alone has a match first",
}
"""Every tag and the rule it stands for."""


def brightness_and_size(samples: Sequence[Sample]) -> dict[str, np.ndarray]:
    """Mean grey (0 to 255) and number of pixels of pictures, as ``tag_queries`` takes them."""
    greys, sizes = [], []
    for sample in samples:
        with Image.open(sample.path) as picture:
            sizes.append(picture.width * picture.height)
            greys.append(np.asarray(picture.convert("L").resize((16, 32))).mean())
    return {"brightness": np.array(greys), "sizes": np.array(sizes)}


def picture_extremes(
    brightness: Sequence[float] | np.ndarray | None = None,
    sizes: Sequence[float] | np.ndarray | None = None,
) -> dict[str, set[int]]:
    """The tags that pictures have whatever was found for them, and the rows that carry each.

    Arguments are those of ``tag_queries``.
    """
    return {
        "dark": _tenth(brightness, lowest=True),
        "bright": _tenth(brightness, lowest=False),
        "small box": _tenth(sizes, lowest=True),
    }


def tag_queries(
    result: RetrievalResult,
    *,
    brightness: Sequence[float] | np.ndarray | None = None,
    sizes: Sequence[float] | np.ndarray | None = None,
    progress: Callable[[float, str], None] = lambda share, words: None,
) -> pd.DataFrame:
    """The queries whose first answer is wrong, with what holds of each.

    Args:
        result: scored features.
        brightness: mean grey of every query picture, in the order of the features.
        sizes: number of pixels of every query picture, in that order; skipped where all are equal.
        progress: called with the completed fraction and words.

    Returns:
        One row per failing query: ``query``, ``name``, ``pid``, ``camid``, ``AP``,
        ``first_match_rank``, ``tags`` (tuple). Worst AP first.

    Raises:
        InputError: the result was loaded without its features, or another number of pictures was
            measured than there are query features.
    """
    if result.features is None:
        raise InputError("this result was loaded without its features", "score them again")
    for name, values in (("brightness", brightness), ("sizes", sizes)):
        if values is not None and len(values) != len(result.per_query):
            raise InputError(
                f"{len(values)} values of {name} for {len(result.per_query)} queries",
                "measure the pictures of the features' rows, not of the whole list",
            )
    table = result.counted
    first = _first_answers(result, table, progress)
    wrong = table[table["first_match_rank"] > 1]
    right = first["distance"][first["match"].to_numpy()]
    near = float(right.quantile(0.1)) if len(right) else -np.inf
    branches = _branch_firsts(result, progress)
    extremes = picture_extremes(brightness, sizes)
    tags = []
    for row in wrong.to_dict("records"):
        query = int(row["query"])
        answer = first.loc[query]
        facts = {
            "near miss": row["first_match_rank"] <= 5,
            "far off": row["first_match_rank"] > 20,
            "same background": answer["camid"] == row["camid"] and row["camid"] >= 0,
            "lookalike": answer["distance"] < near,
            **{name: query in found for name, found in extremes.items()},
            "branches disagree": any(alone := [query in found for found in branches.values()]),
            "no branch knows": bool(alone) and not any(alone),
        }
        tags.append(tuple(name for name, holds in facts.items() if holds))
    columns = ["query", "name", "pid", "camid", "AP", "first_match_rank"]
    found = wrong[columns].assign(tags=pd.Series(tags, index=wrong.index, dtype=object))
    return found.sort_values(["AP", "query"]).reset_index(drop=True)


def count_tags(tagged: pd.DataFrame) -> dict[str, int]:
    """How many failing queries carry each tag, in the order of ``TAGS``; tags of none left out."""
    counts = {name: sum(name in tags for tags in tagged["tags"]) for name in TAGS}
    return {name: count for name, count in counts.items() if count}


def _first_answers(
    result: RetrievalResult, table: pd.DataFrame, progress: Callable[[float, str], None]
) -> pd.DataFrame:
    """The nearest gallery picture of each query, by query."""
    first = []
    for place, query in enumerate(table["query"]):
        if place % 100 == 0:
            progress(0.5 * place / len(table), "first answers")
        first.append(result.ranking(int(query), 1)[["camid", "distance", "match"]])
    return pd.concat(first).set_axis(table["query"].to_numpy())


def _branch_firsts(
    result: RetrievalResult, progress: Callable[[float, str], None]
) -> dict[str, set[int]]:
    """For each branch alone the queries it answers right first; empty for a single branch."""
    features = result.features
    assert features is not None
    if len(features.branches) < 2:
        return {}
    found = {}
    for number, (name, _) in enumerate(features.branches):
        progress(0.5 + 0.5 * number / len(features.branches), f"{name} alone")
        alone = score_branches(features, {name: 1.0}).counted
        found[name] = set(alone["query"][alone["first_match_rank"] == 1].astype(int))
    return found


def _tenth(values: Sequence[float] | np.ndarray | None, *, lowest: bool) -> set[int]:
    if values is None or len(values) < 10 or np.ptp(values) == 0:
        return set()
    numbers = np.asarray(values, dtype=float)
    order = np.argsort(numbers if lowest else -numbers, kind="stable")
    return {int(place) for place in order[: len(numbers) // 10]}
