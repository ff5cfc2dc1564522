"""Intervals and paired tests against what can be worked out, and against simulated people."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mfa.errors import InputError
from mfa.retrieval import feature_file, statistics
from mfa.retrieval.metrics import score

REAL = Path(__file__).resolve().parents[3].parent / "shared/data/features"


def rows(
    precision: list[float] | np.ndarray,
    ranks: list[int] | None = None,
    pids: np.ndarray | None = None,
) -> pd.DataFrame:
    """A table with these APs; NaN marks a dropped query. By default nobody comes twice."""
    precision = np.asarray(precision, dtype=float)
    count, kept = len(precision), ~np.isnan(precision)
    ranks = ranks or [1 if ap > 0.5 else 3 for ap in precision]
    first = pd.array([r if k else pd.NA for r, k in zip(ranks, kept, strict=True)], dtype="Int64")
    return pd.DataFrame(
        {
            "query": range(count),
            "name": [f"{i}.jpg" for i in range(count)],
            "pid": np.arange(count) if pids is None else pids,
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


PEOPLE = np.repeat(np.arange(40), 5)


def simulated(rng: np.random.Generator, gain: float = 0.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two results of 40 people with 5 queries each; half of the difference's variance is theirs."""
    base = rng.random(len(PEOPLE))
    theirs = rng.normal(0, 0.1, 40)[PEOPLE]
    own = rng.normal(0, 0.1, len(PEOPLE))
    return rows(base, pids=PEOPLE), rows(base + gain + theirs + own, pids=PEOPLE)


def alarms(trials: int, *, gain: float = 0.0, by: statistics.Unit = "identity") -> float:
    rng = np.random.default_rng(7)
    pairs = (simulated(rng, gain) for _ in range(trials))
    tests = (statistics.paired_test(*pair, draws=199, by=by).p_value for pair in pairs)
    return float(np.mean([p_value <= 0.05 for p_value in tests]))


def test_the_paired_test_of_people_keeps_its_level_and_finds_a_real_difference() -> None:
    by_identity, by_query = alarms(200), alarms(100, by="query")
    assert 0.015 <= by_identity <= 0.095  # 5 % expected, standard error 1.5 %
    assert by_query > 0.15  # the reason why identities are flipped
    assert alarms(50, gain=0.06) > 0.85


def test_the_interval_over_people_covers_the_truth() -> None:
    rng = np.random.default_rng(8)
    covered = {"identity": 0, "query": 0}
    for _ in range(200):
        first, second = simulated(rng)
        difference = (second["AP"] - first["AP"]).to_numpy()
        for by, groups in (("identity", PEOPLE), ("query", None)):
            low, high = statistics.mean_interval(difference, groups=groups, draws=200)
            covered[by] += low <= 0 <= high
    assert 180 <= covered["identity"] <= 198
    assert covered["query"] < 165


def test_the_interval_is_as_wide_as_the_central_limit_says() -> None:
    values = np.random.default_rng(1).random(800)
    low, high = statistics.intervals(rows(values), draws=2000)["mAP"]
    error = np.std(values) / np.sqrt(len(values))
    assert low == pytest.approx(np.mean(values) - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(np.mean(values) + 1.96 * error, abs=0.1 * error)


def test_people_with_more_queries_weigh_more() -> None:
    pids = np.repeat([1, 2, 3, 4], [1, 1, 1, 97])
    values = np.where(pids == 4, 0.9, 0.1)
    low, high = statistics.mean_interval(values, groups=pids, draws=4000)
    assert low == pytest.approx(0.1)  # the draws without person 4
    assert high == pytest.approx(0.9, abs=0.01)


def test_intervals_repeat_with_the_seed_and_leave_out_dropped_queries() -> None:
    values = np.random.default_rng(2).random(40).tolist()
    one = statistics.intervals(rows(values), seed=5)
    assert one == statistics.intervals(rows(values), seed=5)
    assert one != statistics.intervals(rows(values), seed=6)
    assert statistics.intervals(rows([*values, np.nan, np.nan]), seed=5) == one


@pytest.mark.parametrize("draws", [0, 10**9])
def test_draws_out_of_range_are_refused_at_once(draws: int) -> None:
    table = rows([0.2, 0.9])
    with pytest.raises(InputError, match="1 to 100,000"):
        statistics.intervals(table, draws=draws)
    with pytest.raises(InputError, match="1 to 100,000"):
        statistics.paired_test(table, table, draws=draws)


def test_the_p_value_equals_all_flips_of_people_counted() -> None:
    first = np.array([0.2, 0.4, 0.5, 0.1, 0.3, 0.6, 0.2, 0.7, 0.3, 0.5, 0.4])
    second = np.array([0.3, 0.6, 0.4, 0.4, 0.3, 0.9, 0.1, 0.9, 0.6, 0.6, 0.9])
    pids = np.array([1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9])
    sums = np.bincount(pids, weights=second - first)[1:]
    flips = itertools.product([1, -1], repeat=len(sums))
    extreme = [abs(np.dot(signs, sums)) >= abs(sums.sum()) - 1e-9 for signs in flips]
    test = statistics.paired_test(rows(first, pids=pids), rows(second, pids=pids))
    assert test.p_value == pytest.approx(np.mean(extreme))
    assert test.difference == pytest.approx((second - first).mean())
    assert test.interval[0] < test.difference < test.interval[1]
    assert (test.queries, test.units) == (11, 9)


def test_equal_results_and_one_person_tell_nothing() -> None:
    same = rows([0.2, 0.9, 0.4])
    test = statistics.paired_test(same, same)
    assert (test.difference, test.p_value) == (0, 1)
    pids = np.array([3, 3])
    test = statistics.paired_test(rows([0.2, 0.3], pids=pids), rows([0.8, 0.9], pids=pids))
    assert test.p_value == 1
    assert np.isnan(test.interval).all()
    low, high = statistics.intervals(rows([0.2, 0.9], pids=pids))["mAP"]
    assert np.isnan([low, high]).all()


def test_over_seeds_the_figures_of_the_trainings_are_compared() -> None:
    first, second = [52.0, 50.1, 51.3], [52.4, 53.6, 51.2]
    expected = stats.ttest_1samp(np.subtract(second, first), 0).pvalue
    assert statistics.seeds_test(first, second) == pytest.approx(expected)
    assert np.isnan(statistics.seeds_test([50.0], [60.0]))
    assert statistics.seeds_test([50.0, 51.0], [50.0, 51.0]) == 1


def test_holm_corrects_for_the_number_of_tests() -> None:
    corrected = statistics.holm([0.01, 0.04, 0.03, 0.005, np.nan])
    np.testing.assert_allclose(corrected, [0.03, 0.06, 0.06, 0.02, np.nan])
    assert statistics.holm([0.6, 0.9]).tolist() == [1, 1]


def test_rank1_and_the_queries_that_flipped() -> None:
    first = rows([0.9, 0.9, 0.1, 0.2], ranks=[1, 1, 5, 4])
    second = rows([0.8, 0.3, 0.9, 0.3], ranks=[1, 2, 1, 3])
    flips = statistics.flipped(first, second)
    assert flips["query"].tolist() == [2, 1]  # larger change of AP first
    assert flips["change"].tolist() == ["gained", "lost"]
    assert flips["first_match_rank_first"].tolist() == [5, 1]
    assert flips["AP_second"].tolist() == [0.9, 0.3]
    test = statistics.paired_test(first, second, metric="rank1")
    assert test.difference == 0
    assert test.p_value == pytest.approx(1)


def test_only_queries_counted_in_both_are_paired() -> None:
    first, second = rows([0.5, np.nan, 0.2]), rows([0.7, 0.9, np.nan])
    test = statistics.paired_test(first, second)
    assert (test.queries, test.difference) == (1, pytest.approx(0.2))


def test_other_queries_are_refused_with_the_first_difference() -> None:
    one, two = rows([0.5, 0.6]), rows([0.5, 0.6])
    two.loc[1, "name"] = "else.jpg"
    with pytest.raises(InputError, match=r"query 1 has name 1.jpg in one result and else.jpg"):
        statistics.paired_test(one, two)
    with pytest.raises(InputError, match="2 and 1 queries"):
        statistics.flipped(one, rows([0.5]))
    with pytest.raises(InputError, match="no query was counted in both"):
        statistics.paired_test(rows([0.5, np.nan]), rows([np.nan, 0.5]))


@pytest.mark.skipif(not REAL.is_dir(), reason="no real features beside the repository")
def test_on_market1501_people_give_wider_intervals_than_queries() -> None:
    table = score(feature_file.read(REAL / "market1501_0277.npz")).per_query
    by_identity = statistics.intervals(table)
    by_query = statistics.intervals(table, by="query")
    assert [100 * end for end in by_identity["mAP"]] == pytest.approx([86.53, 88.83], abs=0.08)
    assert [100 * end for end in by_query["mAP"]] == pytest.approx([87.04, 88.35], abs=0.05)
    ratio = np.ptp(by_identity["rank1"]) / np.ptp(by_query["rank1"])
    assert 1.15 < ratio < 1.4
