"""How far a figure can be trusted, and whether two differ: resampling over queries.

Queries of one person resemble each other; ``by="identity"`` resamples whole persons and gives
wider, more honest intervals where a person has many queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mfa.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from mfa.retrieval.results import RetrievalResult

LEVEL = 0.95

_CHUNK = 64
"""Draws made at a time, to bound memory."""


@dataclass(frozen=True)
class PairedTest:
    """Two results on the same queries.

    Attributes:
        metric: ``AP`` or ``rank1``.
        first: mean of the first result over the queries both counted.
        second: mean of the second result over them.
        difference: second minus first.
        interval: 95 % bootstrap interval of that difference.
        p_value: two-sided; chance of a difference at least as large if the sign of each query's
            difference were a coin toss.
        queries: how many queries were compared.
    """

    metric: str
    first: float
    second: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    queries: int


def intervals(
    result: RetrievalResult,
    *,
    draws: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
    by: Literal["query", "identity"] = "query",
) -> dict[str, tuple[float, float]]:
    """Bootstrap percentile intervals of rank1, mAP, mAP_trapezoid and mINP, as fractions.

    Args:
        result: what was scored; only counted queries are drawn.
        draws: resamples, with replacement.
        seed: of the draws.
        level: share of the draws inside the interval.
        by: what is drawn: queries, or identities with all their queries.
    """
    counted = result.counted
    values = np.column_stack(
        [
            (counted["first_match_rank"] == 1).to_numpy(float),
            *(counted[name].to_numpy(float) for name in ("AP", "AP_trapezoid", "INP")),
        ]
    )
    groups = None if by == "query" else counted["pid"].to_numpy()
    means = _bootstrap_means(values, draws, seed, groups)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    names = ("rank1", "mAP", "mAP_trapezoid", "mINP")
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(names)}


def mean_interval(
    values: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    draws: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
) -> tuple[float, float]:
    """Bootstrap percentile interval of the mean of ``values`` (N,), none of them NaN.

    Args:
        values: one for each drawn unit.
        groups: (N,) whose units are drawn together, e.g. the pictures of a person.
        draws: resamples, with replacement.
        seed: of the draws.
        level: share of the draws inside the interval.
    """
    means = _bootstrap_means(np.asarray(values, dtype=float)[:, None], draws, seed, groups)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_test(
    first: RetrievalResult,
    second: RetrievalResult,
    *,
    metric: Literal["AP", "rank1"] = "AP",
    draws: int = 10_000,
    seed: int = 0,
) -> PairedTest:
    """Is the second result better than the first on the same queries?

    The p-value is that of the sign-flip permutation test; (1 + as extreme) / (1 + draws), so it
    is never 0.

    Raises:
        InputError: the two have other queries, or none that both counted.
    """
    before, after = paired_rows(first, second)
    figures = _metric(before, metric), _metric(after, metric)
    difference = figures[1] - figures[0]
    means = _bootstrap_means(difference[:, None], min(draws, 2000), seed, None)[:, 0]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return PairedTest(
        metric=metric,
        first=float(figures[0].mean()),
        second=float(figures[1].mean()),
        difference=float(difference.mean()),
        interval=(float(low), float(high)),
        p_value=_sign_flip(difference, draws, seed),
        queries=len(difference),
    )


def flipped(first: RetrievalResult, second: RetrievalResult) -> pd.DataFrame:
    """Queries whose Rank-1 is right in one result and wrong in the other.

    Returns:
        ``query``, ``name``, ``pid``, ``camid``, ``change`` (``gained`` or ``lost`` by the
        second), ``AP_first``, ``AP_second``, ``first_match_rank_first``, ``..._second``; largest
        change of AP first.

    Raises:
        InputError: the two have other queries, or none that both counted.
    """
    before, after = paired_rows(first, second)
    right = [rows["first_match_rank"].to_numpy(int) == 1 for rows in (before, after)]
    table = before[["query", "name", "pid", "camid"]].copy()
    table["change"] = np.where(right[1], "gained", "lost")
    for name in ("AP", "first_match_rank"):
        table[f"{name}_first"], table[f"{name}_second"] = before[name], after[name]
    table = table[right[0] != right[1]]
    size = (table["AP_second"] - table["AP_first"]).abs()
    by_size: pd.DataFrame = table.loc[size.sort_values(ascending=False, kind="stable").index]
    return by_size.reset_index(drop=True)


def paired_rows(
    first: RetrievalResult, second: RetrievalResult
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The ``per_query`` rows of the queries both results counted, aligned.

    Raises:
        InputError: the query lists differ (the first difference is named), or share none.
    """
    one, two = first.per_query, second.per_query
    if len(one) != len(two):
        raise InputError(
            f"the results have {len(one)} and {len(two)} queries; a paired test needs the same ones"
        )
    for column in ("name", "pid", "camid"):
        unlike = np.flatnonzero(one[column].to_numpy() != two[column].to_numpy())
        if len(unlike):
            row = unlike[0]
            raise InputError(
                f"query {row} has {column} {one[column].iloc[row]} in one result and "
                f"{two[column].iloc[row]} in the other; a paired test needs the same queries"
            )
    both = (one["positives"] > 0).to_numpy() & (two["positives"] > 0).to_numpy()
    if not both.any():
        raise InputError("no query was counted in both results")
    return one[both], two[both]


def _metric(rows: pd.DataFrame, metric: str) -> np.ndarray:
    if metric == "rank1":
        return (rows["first_match_rank"] == 1).to_numpy(float)
    return rows["AP"].to_numpy(float)


def _bootstrap_means(
    values: np.ndarray, draws: int, seed: int, groups: np.ndarray | None
) -> np.ndarray:
    """(draws, K) means of resampled rows of ``values`` (N, K), or of resampled groups of rows."""
    if groups is None:
        sums, sizes = values, np.ones(len(values))
    else:
        _, member = np.unique(groups, return_inverse=True)
        sizes = np.bincount(member).astype(float)
        sums = np.column_stack([np.bincount(member, weights=column) for column in values.T])
    rng = np.random.default_rng(seed)
    means = []
    for done in range(0, draws, _CHUNK):
        drawn = rng.integers(len(sums), size=(min(_CHUNK, draws - done), len(sums)))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)[:, None])
    return np.concatenate(means)


def _sign_flip(difference: np.ndarray, draws: int, seed: int) -> float:
    # A sum of rounded numbers must not decide whether a flip is as extreme as what was seen.
    observed = abs(difference.sum()) - 1e-12 * np.abs(difference).sum()
    rng = np.random.default_rng(seed)
    extreme = 0
    for done in range(0, draws, _CHUNK):
        signs = rng.integers(0, 2, size=(min(_CHUNK, draws - done), len(difference)), dtype=np.int8)
        sums = (2.0 * signs - 1) @ difference
        extreme += int(np.count_nonzero(np.abs(sums) >= observed))
    return (1 + extreme) / (1 + draws)
