"""The nearest pictures of every query, by a slow search, and what a threshold makes of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.made import made_features
from mfa.comparison.identification import Identification, identify
from mfa.errors import InputError
from mfa.records import JUNK, Features


@pytest.fixture(scope="module")
def features() -> Features:
    """Some queries have nobody in the gallery, some gallery pictures are junk or distractors."""
    made = made_features(
        queries=25, gallery=90, people=9, distractors=12, cameras=3, width=6, noise=1.1
    )
    pids, asked = made.gallery.pids.copy(), made.query.pids.copy()
    pids[::13], asked[::9] = JUNK, 999
    return dataclasses.replace(
        made,
        query=dataclasses.replace(made.query, pids=asked),
        gallery=dataclasses.replace(made.gallery, pids=pids),
    )


@pytest.fixture(scope="module")
def found(features: Features) -> Identification:
    return identify(features)


def test_nearest_pictures_by_a_slow_search(features: Features, found: Identification) -> None:
    q, g = features.query, features.gallery
    none = (np.inf, -1)
    assert found.table["match"].min() == -1
    for row in found.table.to_dict("records"):
        i = row["query"]
        a = q.features[i] / np.linalg.norm(q.features[i])
        same, other = [], []
        for j in range(len(g)):
            distance = 1 - a @ g.features[j] / np.linalg.norm(g.features[j])
            if g.pids[j] == q.pids[i] and g.camids[j] != q.camids[i]:
                same.append((distance, j))
            elif g.pids[j] not in (JUNK, q.pids[i]):
                other.append((distance, j))
        for kind, (distance, j) in {"match": min([*same, none]), "other": min(other)}.items():
            assert row[kind] == j
            assert row[f"{kind}_distance"] == pytest.approx(distance, abs=1e-6)


def test_a_threshold_names_right_wrong_or_nobody(found: Identification) -> None:
    table = found.table
    known = table[table["match"] >= 0]
    for threshold in (0.0, 0.05, 0.1, 2.0):
        told = {"right": 0, "wrong": 0, "nobody": 0}
        for row in known.itertuples():
            best = min(row.match_distance, row.other_distance)
            right = row.match_distance < row.other_distance
            told["nobody" if best > threshold else "right" if right else "wrong"] += 1
        shares = found.at_threshold(threshold)
        strangers = shares.pop("strangers_named")
        assert shares == pytest.approx({name: n / len(known) for name, n in told.items()})
        assert strangers == pytest.approx((table["other_distance"] <= threshold).mean())


def test_the_queue_begins_at_the_line(found: Identification) -> None:
    best = found.table[["match_distance", "other_distance"]].min(axis=1)
    line = float(best.median())
    queue = found.unnamed(line)
    assert len(queue) == 12  # the median of 25 is on the line, which names it
    assert queue["distance"].is_monotonic_increasing
    assert queue["distance"].min() > line
    assert not queue["known"].all()
    assert {*queue["query"]} == {*found.table["query"][best > line]}
    assert found.unnamed(2.1).empty


def test_somebody_must_be_known(features: Features) -> None:
    nobody = dataclasses.replace(features.query, pids=np.full(len(features.query), 999))
    with pytest.raises(InputError, match="none of 25 queries can be scored"):
        identify(dataclasses.replace(features, query=nobody))
