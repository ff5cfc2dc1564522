"""Pairs on both sides of a line against all pairs listed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.made import made_features
from mfa.comparison.pair_sample import sample_pairs
from mfa.comparison.verification import verify
from mfa.errors import InputError

FEATURES = made_features(
    queries=20, gallery=60, people=7, distractors=9, cameras=3, width=6, noise=1.1
)


@pytest.mark.parametrize("camera_filter", [True, False])
def test_every_counted_pair_is_there_once(camera_filter: bool) -> None:
    sample = sample_pairs(FEATURES, camera_filter=camera_filter)
    whole = verify(FEATURES, camera_filter=camera_filter)
    assert (sample.same.sum(), (~sample.same).sum()) == (whole.same, whole.other)
    a, b = (
        side.features[rows] / np.linalg.norm(side.features[rows], axis=1, keepdims=True)
        for side, rows in ((FEATURES.query, sample.query), (FEATURES.gallery, sample.gallery))
    )
    assert sample.distance == pytest.approx(1 - (a * b).sum(axis=1), abs=1e-6)
    people = FEATURES.query.pids[sample.query] == FEATURES.gallery.pids[sample.gallery]
    assert np.array_equal(sample.same, people)


def test_pairs_stand_next_to_the_line() -> None:
    sample = sample_pairs(FEATURES, queries=8)
    assert len({*sample.query}) == 8
    line = float(np.median(sample.distance[sample.same]))
    for (same, accepted), pairs in sample.near(line, 3).items():
        group = sample.distance[
            (sample.same == same) & ((sample.distance <= line) == accepted)
        ]  # fmt: skip
        gaps = (pairs["distance"] - line).abs()
        assert len(pairs) == 3
        assert ((pairs["distance"] <= line) == accepted).all()
        assert gaps.is_monotonic_increasing
        assert gaps[0] == pytest.approx(np.abs(group - line).min())
        assert pairs["query"].is_unique
    with pytest.raises(InputError, match="queries must be 1 or more"):
        sample_pairs(FEATURES, queries=0)
