"""Probabilities against cases worked out by hand, and against pairs whose law is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.made import made_features
from mfa.comparison.calibration import calibrate, verify_halves
from mfa.comparison.verification import Verification, verify
from mfa.errors import InputError


def counted(same: list[int], other: list[int]) -> Verification:
    """Pairs in bins of width 0.1."""
    low = np.arange(len(same)) / 10
    table = pd.DataFrame({"low": low, "high": low + 0.1, "same": same, "other": other})
    return Verification(pd.DataFrame(), table, sum(same), sum(other))


def test_neighbours_out_of_order_share_a_probability() -> None:
    found = calibrate(counted([8, 1, 1, 0], [0, 2, 1, 7]), counted([1, 0, 0, 0], [0, 0, 0, 1]))
    assert found.prior == 0.5
    # Bins 2 and 3 (1 of 3, then 1 of 2) rise with the distance, so they are pooled: 2 of 5.
    assert found.probability(np.array([0.05, 0.15, 0.25, 0.35])) == pytest.approx([1, 0.4, 0.4, 0])
    assert found.probability(np.array([0.0, 2.0])) == pytest.approx([1, 0])
    assert found.error == pytest.approx(0)


def test_another_prior_moves_the_odds_alone() -> None:
    rng = np.random.default_rng(0)
    pairs = counted([*rng.integers(1, 9, 20)], [*rng.integers(1, 9, 20)])
    one, two = (calibrate(pairs, pairs, prior=prior) for prior in (0.5, 0.1))
    at = np.linspace(0.05, 1.95, 20)  # the bins' middles; between them both draw straight lines
    odds = [p / (1 - p) for p in (each.probability(at) for each in (one, two))]
    assert odds[1] == pytest.approx(odds[0] / 9)


def test_reliability_is_counted_on_the_other_half() -> None:
    fitted, checked = counted([9, 1], [1, 9]), counted([5, 5], [5, 5])
    found = calibrate(fitted, checked)
    assert found.reliability["predicted"].tolist() == pytest.approx([0.1, 0.9])
    assert found.reliability["observed"].tolist() == pytest.approx([0.5, 0.5])
    assert found.reliability["pairs"].tolist() == [10, 10]
    assert found.error == pytest.approx(0.4)


def test_halves_share_no_person_and_are_calibrated() -> None:
    features = made_features(
        queries=300, gallery=900, people=60, distractors=40, cameras=3, width=8, noise=0.9
    )
    halves, whole = verify_halves(features), verify(features)
    assert sum(half.same for half in halves) == whole.same  # nobody is cut in two
    assert sum(half.other for half in halves) < 0.6 * whole.other  # no pair joins the halves
    found = calibrate(*halves, prior=0.5)
    assert found.error < 0.05
    assert found.curve["probability"].is_monotonic_decreasing
    with pytest.raises(InputError, match="a prior is a share"):
        calibrate(*halves, prior=1.0)
