"""Intervals and paired tests against what can be worked out, and against plain resampling."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from mfa.errors import InputError
from mfa.retrieval import statistics
from mfa.retrieval.results import RetrievalResult


def result_with(precision: list[float], ranks: list[int] | None = None) -> RetrievalResult:
    """A result with these APs, NaN for a dropped query."""
    count = len(precision)
    kept = ~np.isnan(precision)
    ranks = ranks or [1 if ap > 0.5 else 3 for ap in precision]
    first = pd.array([r if k else pd.NA for r, k in zip(ranks, kept, strict=True)], dtype="Int64")
    table = pd.DataFrame(
        {
            "query": range(count),
            "name": [f"{i}.jpg" for i in range(count)],
            "pid": [i // 4 for i in range(count)],
            "camid": 1,
            "AP": precision,
            "AP_trapezoid": precision,
            "INP": precision,
            "first_match_rank": first,
            "last_match_rank": first,
            "positives": kept.astype(int),
            "status": ["counted" if k else "no gallery picture" for k in kept],
        }
    )
    return RetrievalResult(per_query=table, cmc=np.ones(1), gallery=9, card={})


def test_the_interval_is_as_wide_as_the_central_limit_says() -> None:
    rng = np.random.default_rng(1)
    values = rng.random(800).tolist()
    low, high = statistics.intervals(result_with(values), draws=2000)["mAP"]
    error = np.std(values) / np.sqrt(len(values))
    assert low == pytest.approx(np.mean(values) - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(np.mean(values) + 1.96 * error, abs=0.1 * error)


def test_intervals_repeat_with_the_seed_and_leave_out_dropped_queries() -> None:
    values = np.random.default_rng(2).random(40).tolist()
    one = statistics.intervals(result_with(values), seed=5)
    assert one == statistics.intervals(result_with(values), seed=5)
    assert one != statistics.intervals(result_with(values), seed=6)
    some = dataclasses.replace(result_with([*values, np.nan, np.nan]))
    assert statistics.intervals(some, seed=5) == one


def test_drawing_people_is_wider_when_their_queries_agree() -> None:
    values = np.repeat(np.random.default_rng(3).random(50), 4).tolist()
    by_query = statistics.intervals(result_with(values))["mAP"]
    by_person = statistics.intervals(result_with(values), by="identity")["mAP"]
    ratio = (by_person[1] - by_person[0]) / (by_query[1] - by_query[0])
    assert ratio == pytest.approx(2, rel=0.15)


def test_the_sign_flip_p_value_equals_all_flips_counted() -> None:
    first = [0.2, 0.4, 0.5, 0.1, 0.3, 0.6, 0.2, 0.7, 0.3, 0.5]
    second = [0.3, 0.6, 0.4, 0.4, 0.3, 0.9, 0.1, 0.9, 0.6, 0.6]
    difference = np.array(second) - np.array(first)
    observed = abs(difference.sum()) - 1e-9
    flips = list(itertools.product([1, -1], repeat=len(difference)))
    exact = sum(abs(np.dot(signs, difference)) >= observed for signs in flips) / len(flips)
    test = statistics.paired_test(result_with(first), result_with(second), draws=20_000)
    assert test.p_value == pytest.approx(exact, abs=0.01)
    assert test.difference == pytest.approx(difference.mean())
    assert test.interval[0] < test.difference < test.interval[1]
    assert test.queries == 10


def test_equal_results_differ_by_nothing() -> None:
    same = result_with([0.2, 0.9, 0.4])
    test = statistics.paired_test(same, same)
    assert (test.difference, test.p_value) == (0, 1)


def test_no_false_alarm_rate_beyond_its_level() -> None:
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(100):
        base = rng.random(30)
        noise = rng.normal(0, 0.1, size=(2, 30))
        pair = [result_with((base + part).tolist()) for part in noise]
        alarms += statistics.paired_test(*pair, draws=199).p_value <= 0.05
    assert 1 <= alarms <= 14  # 5 expected, standard deviation 2.2


def test_rank1_and_the_queries_that_flipped() -> None:
    first = result_with([0.9, 0.9, 0.1, 0.2], ranks=[1, 1, 5, 4])
    second = result_with([0.8, 0.3, 0.9, 0.3], ranks=[1, 2, 1, 3])
    flips = statistics.flipped(first, second)
    assert flips["query"].tolist() == [2, 1]  # larger change of AP first
    assert flips["change"].tolist() == ["gained", "lost"]
    assert flips["first_match_rank_first"].tolist() == [5, 1]
    assert flips["AP_second"].tolist() == [0.9, 0.3]
    test = statistics.paired_test(first, second, metric="rank1")
    assert test.difference == 0
    assert test.p_value == pytest.approx(1)


def test_only_queries_counted_in_both_are_paired() -> None:
    first, second = result_with([0.5, np.nan, 0.2]), result_with([0.7, 0.9, np.nan])
    test = statistics.paired_test(first, second)
    assert (test.queries, test.difference) == (1, pytest.approx(0.2))


def test_other_queries_are_refused_with_the_first_difference() -> None:
    one, two = result_with([0.5, 0.6]), result_with([0.5, 0.6])
    two.per_query.loc[1, "name"] = "else.jpg"
    with pytest.raises(InputError, match=r"query 1 has name 1.jpg in one result and else.jpg"):
        statistics.paired_test(one, two)
    with pytest.raises(InputError, match="2 and 1 queries"):
        statistics.flipped(one, result_with([0.5]))
    with pytest.raises(InputError, match="no query was counted in both"):
        statistics.paired_test(result_with([0.5, np.nan]), result_with([np.nan, 0.5]))
