"""Intervals of retrieval figures, and tests of whether two results differ.

The queries of one person resemble each other, so they are no independent observations. By default
every function here draws or flips whole identities: all queries of a person together. With
``by="query"`` the queries count as independent, as in some papers: intervals are narrower and,
where a person has many queries, there are too many false alarms.

None of this holds the variance between trainings. ``seeds_test`` does, and holds no variance
between people instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from mfa.errors import InputError

Unit = Literal["identity", "query"]


MAX_DRAWS = 100_000
"""More resamples than this change no printed digit."""

_BATCH = 256
"""Draws made at a time, to bound memory."""


@dataclass(frozen=True)
class PairedTest:
    """The comparison of two results on the queries that both counted.

    Attributes:
        metric: ``AP`` or ``rank1``.
        first, second: mean of each result.
        difference: second minus first.
        interval: 95 % bootstrap interval of that difference; NaN for a single unit.
        p_value: two-sided; probability of a difference at least as large if a coin decided, for
            each unit, which result is called the first.
        queries: number of queries compared.
        units: number of units drawn and flipped, see ``by``.
        by: the unit, ``identity`` or ``query``.
    """

    metric: str
    first: float
    second: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    queries: int
    units: int
    by: Unit


def intervals(
    per_query: pd.DataFrame, *, draws: int = 1000, seed: int = 0, by: Unit = "identity"
) -> dict[str, tuple[float, float]]:
    """95 % bootstrap percentile intervals of rank1, mAP, mAP_trapezoid and mINP, as fractions.

    Args:
        per_query: table of a result, one row per query; only counted queries are drawn.
        draws: number of resamples, with replacement.
        seed: of the draws.
        by: what is drawn: identities with all their queries, or single queries.

    Raises:
        InputError: ``draws`` is out of range.
    """
    counted = per_query[per_query["positives"] > 0]
    drawn: dict[str, Any] = {"groups": _units(counted, by), "draws": draws, "seed": seed}
    figures = {"mAP": "AP", "mAP_trapezoid": "AP_trapezoid", "mINP": "INP"}
    found = {"rank1": mean_interval(_metric(counted, "rank1"), **drawn)}
    for name, column in figures.items():
        found[name] = mean_interval(_metric(counted, column), **drawn)
    return found


def mean_interval(
    values: np.ndarray, *, groups: np.ndarray | None = None, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % bootstrap percentile interval of the mean of ``values``; NaN for a single unit.

    Args:
        values: (N,) without NaN.
        groups: (N,) label of the unit that each value belongs to, such as a pid. Units are drawn
            whole. By default each value is a unit.
        draws: number of resamples, with replacement.
        seed: of the draws.
    """
    from scipy.stats import bootstrap

    check_draws(draws)
    sums, sizes = _per_unit(np.asarray(values, dtype=float), groups)
    if len(sums) < 2:
        return float("nan"), float("nan")
    found = bootstrap(
        (sums, sizes),
        lambda sums, sizes, axis: sums.sum(axis=axis) / sizes.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=draws,
        batch=_BATCH,
        confidence_level=0.95,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def paired_test(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    metric: Literal["AP", "rank1"] = "AP",
    draws: int = 9999,
    seed: int = 0,
    by: Unit = "identity",
) -> PairedTest:
    """Test whether the second result differs from the first on the same queries.

    The p-value is that of the sign-flip permutation test. It is exact where there are few units,
    else (1 + as extreme) / (1 + draws), so it is never 0.

    Args:
        first: ``per_query`` of the reference.
        second: ``per_query`` of the result that is compared with it.
        metric: what is compared.
        draws: number of random flips.
        seed: of the flips and of the interval.
        by: what is flipped and drawn: identities with all their queries, or single queries.

    Raises:
        InputError: the queries differ, no query was counted in both, or ``draws`` is out of range.
    """
    check_draws(draws)
    before, after = paired_rows(first, second)
    means = _metric(before, metric), _metric(after, metric)
    difference = means[1] - means[0]
    groups = _units(before, by)
    sums, sizes = _per_unit(difference, groups)
    return PairedTest(
        metric=metric,
        first=float(means[0].mean()),
        second=float(means[1].mean()),
        difference=float(difference.mean()),
        interval=mean_interval(difference, groups=groups, draws=min(draws, 2000), seed=seed),
        p_value=_sign_flip(sums, draws, seed),
        queries=int(sizes.sum()),
        units=len(sums),
        by=by,
    )


def seeds_test(first: Sequence[float], second: Sequence[float]) -> float:
    """p-value of the paired t-test over seeds: would other trainings differ the same way?

    It holds the variance between trainings, not that between people: all trainings are scored on
    the same ones. NaN for fewer than two seeds.

    Args:
        first: one figure per seed of the reference.
        second: the figures of the same seeds, in the same order.
    """
    from scipy.stats import ttest_rel

    if len(first) < 2:
        return float("nan")
    difference = np.subtract(second, first)
    if not np.ptp(difference):  # a t-test divides by the spread
        return 0.0 if difference.any() else 1.0
    return float(ttest_rel(second, first).pvalue)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p-values corrected for their number by the step-down method of Holm (1979).

    NaN stays NaN and is not counted.
    """
    given = np.asarray(p_values, dtype=float)
    corrected = np.full(len(given), np.nan)
    order = np.argsort(given)[: np.count_nonzero(~np.isnan(given))]
    steps = given[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def flipped(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Queries whose Rank-1 is right in one result and wrong in the other.

    Returns:
        ``query``, ``name``, ``pid``, ``camid``, ``change`` (``gained`` or ``lost`` by the
        second), ``AP_first``, ``AP_second``, ``first_match_rank_first``, ``..._second``; largest
        change of AP first.
    """
    before, after = paired_rows(first, second)
    right = [rows["first_match_rank"].to_numpy(int) == 1 for rows in (before, after)]
    table = before[["query", "name", "pid", "camid"]].copy()
    table["change"] = np.where(right[1], "gained", "lost")
    for name in ("AP", "first_match_rank"):
        table[f"{name}_first"], table[f"{name}_second"] = before[name], after[name]
    table = table[right[0] != right[1]]
    size = (table["AP_second"] - table["AP_first"]).abs()
    return table.loc[size.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def paired_rows(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of the queries that both tables counted, aligned."""
    same = "a paired test needs the same queries"
    if len(first) != len(second):
        raise InputError(f"the results have {len(first)} and {len(second)} queries; {same}")
    for column in ("name", "pid", "camid"):
        one, other = first[column].to_numpy(), second[column].to_numpy()
        for row in np.flatnonzero(one != other)[:1]:
            raise InputError(
                f"query {row} has {column} {one[row]} in one result and {other[row]} in the other; "
                f"{same}"
            )
    both = (first["positives"] > 0).to_numpy() & (second["positives"] > 0).to_numpy()
    if not both.any():
        raise InputError("no query was counted in both results")
    return first[both], second[both]


def check_draws(draws: int) -> None:
    """Raise ``InputError`` unless 1 <= ``draws`` <= ``MAX_DRAWS``."""
    if not 1 <= draws <= MAX_DRAWS:
        raise InputError(f"the number of draws is 1 to {MAX_DRAWS:,}, got {draws:,}")


def _units(rows: pd.DataFrame, by: Unit) -> np.ndarray | None:
    return rows["pid"].to_numpy() if by == "identity" else None


def _per_unit(values: np.ndarray, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the values of each unit."""
    if groups is None:
        return values, np.ones(len(values))
    _, member = np.unique(groups, return_inverse=True)
    return np.bincount(member, weights=values), np.bincount(member).astype(float)


def _sign_flip(sums: np.ndarray, draws: int, seed: int) -> float:
    from scipy.stats import permutation_test

    if len(sums) == 1:  # either sign is as extreme as the other
        return 1.0
    flips = permutation_test(
        (sums,),
        lambda values, axis: np.abs(values.sum(axis=axis)),
        permutation_type="samples",
        vectorized=True,
        n_resamples=draws,
        batch=_BATCH,
        alternative="greater",
        rng=np.random.default_rng(seed),
    )
    return float(flips.pvalue)


def _metric(rows: pd.DataFrame, name: str) -> np.ndarray:
    return (rows["first_match_rank"] == 1 if name == "rank1" else rows[name]).to_numpy(float)
