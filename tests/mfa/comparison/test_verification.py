"""Thresholds against every pair listed and counted."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from benchmarks.made import made_features
from mfa.comparison.verification import Verification, verify
from mfa.errors import InputError
from mfa.records import JUNK, Features


@pytest.fixture(scope="module")
def features() -> Features:
    made = made_features(
        queries=25, gallery=90, people=9, distractors=12, cameras=3, width=6, noise=1.1
    )
    pids = made.gallery.pids.copy()
    pids[::13] = JUNK
    return dataclasses.replace(made, gallery=dataclasses.replace(made.gallery, pids=pids))


def pairs(features: Features, camera_filter: bool, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Distances of same-person and of other pairs, one by one."""
    same, other = [], []
    q, g = features.query, features.gallery
    for i in range(len(q)):
        for j in range(len(g)):
            a, b = q.features[i].astype(float), g.features[j].astype(float)
            if metric == "cosine":
                distance = 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            else:
                distance = math.dist(a, b)
            if g.pids[j] == JUNK:
                continue
            if g.pids[j] != q.pids[i]:
                other.append(distance)
            elif not (camera_filter and g.camids[j] == q.camids[i]):
                same.append(distance)
    return np.array(same), np.array(other)


@pytest.mark.parametrize("camera_filter", [True, False])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_every_row_counts_the_pairs(features: Features, metric: str, camera_filter: bool) -> None:
    found = verify(features, camera_filter=camera_filter, distance=metric, bins=100)  # type: ignore[arg-type]
    same, other = pairs(features, camera_filter, metric)
    assert (found.same, found.other) == (len(same), len(other))
    for row in found.table.iloc[1:-1].itertuples():
        assert row.tpr == pytest.approx((same <= row.threshold).mean(), abs=1e-9)
        assert row.fpr == pytest.approx((other <= row.threshold).mean(), abs=1e-9)
    assert found.table.iloc[-1][["tpr", "fpr", "fnr"]].tolist() == [1, 1, 0]
    assert found.histogram["same"].sum() == len(same)
    assert found.histogram["other"].sum() == len(other)


def test_area_and_equal_error(features: Features) -> None:
    found = verify(features)
    same, other = pairs(features, True, "cosine")
    nearer = (same[:, None] < other[None, :]).mean()
    assert found.auc == pytest.approx(nearer, abs=2e-3)
    thresholds = np.sort(np.concatenate([same, other]))
    gaps = [abs((other <= t).mean() - (same > t).mean()) for t in thresholds]
    best = thresholds[int(np.argmin(gaps))]
    assert found.eer == pytest.approx((other <= best).mean(), abs=0.01)


def test_points_on_the_curve(features: Features) -> None:
    found = verify(features)
    point = found.at_fpr(0.05)
    assert point["fpr"] <= 0.05
    after = found.table[found.table["threshold"] > point["threshold"]].iloc[0]
    assert after["fpr"] > 0.05
    assert found.at_threshold(point["threshold"] + 1e-6) == point
    with pytest.raises(InputError, match="cannot show a false positive rate of 1e-09"):
        found.at_fpr(1e-9)
    with pytest.raises(InputError, match="0 to 1"):
        found.at_fpr(1.5)
    with pytest.raises(InputError, match="distances start at 0"):
        found.at_threshold(-0.1)


def test_a_collapsed_model_accepts_all_or_nothing(features: Features) -> None:
    def collapse(side: str) -> Features:
        part = getattr(features, side)
        return dataclasses.replace(part, features=np.ones_like(part.features))

    found: Verification = verify(Features(query=collapse("query"), gallery=collapse("gallery")))  # type: ignore[arg-type]
    assert found.auc == pytest.approx(0.5)
    assert found.at_fpr(0.01)["tpr"] == 0


def test_pairs_of_both_kinds_are_needed(features: Features) -> None:
    everyone = [
        dataclasses.replace(side, pids=np.ones(len(side), int))
        for side in (features.query, features.gallery)
    ]
    with pytest.raises(InputError, match="every counted pair shows one person"):
        verify(Features(*everyone))
    with pytest.raises(InputError, match="bins must be 2"):
        verify(features, bins=1)
