"""Single gallery shot and multi-query against loops and figures known beforehand."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from benchmarks.made import made_features
from mfa.errors import InputError
from mfa.records import JUNK, NO_CAMERA, Features, FeatureSet
from mfa.retrieval import distances as distances_module
from mfa.retrieval import feature_file
from mfa.retrieval.metrics import score
from mfa.retrieval.protocols import multi_query, single_shot

REAL = Path(__file__).resolve().parents[3].parent / "shared/data/features"


@pytest.fixture(scope="module")
def features() -> Features:
    return made_features(
        queries=12, gallery=60, people=6, distractors=6, cameras=3, width=6, noise=1.3
    )


def chances(features: Features, query: int, camera_filter: bool) -> float:
    """The exact chance that a drawn gallery has the query's match first."""
    q, g = features.query, features.gallery
    pid, camera = q.pids[query], q.camids[query]
    unit = g.features / np.linalg.norm(g.features, axis=1, keepdims=True)
    distance = 1 - unit @ q.features[query]
    own = [i for i in range(len(g)) if g.pids[i] == pid]
    if camera_filter:
        own = [i for i in own if g.camids[i] != camera]
    total = 0.0
    for i in own:
        chance = 1.0
        for other in sorted(set(g.pids.tolist()) - {pid, JUNK}):
            rows = [j for j in range(len(g)) if g.pids[j] == other]
            chance *= sum(distance[j] > distance[i] for j in rows) / len(rows)
        total += chance / len(own)
    return total


@pytest.mark.parametrize("camera_filter", [True, False])
def test_single_shot_agrees_with_the_exact_chance(
    features: Features, camera_filter: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distances_module, "BLOCK", 5)
    draws = 3000
    result = single_shot(features, draws=draws, camera_filter=camera_filter)
    for query, row in enumerate(result.per_query.itertuples()):
        exact = chances(features, query, camera_filter)
        assert row.rank1 == pytest.approx(exact, abs=4.5 * 0.5 / np.sqrt(draws))
    assert result.summary()["rank1"] == pytest.approx(result.per_query["rank1"].mean())
    assert result.drawn == 7  # six people and the distractors' pid


def test_one_picture_an_identity_leaves_nothing_to_chance(features: Features) -> None:
    _, first = np.unique(features.gallery.pids, return_index=True)
    only = dataclasses.replace(features, gallery=features.gallery.take(first))
    drawn = single_shot(only, draws=3, camera_filter=False).summary()
    whole = score(only, camera_filter=False).summary(draws=0)
    for name in ("rank1", "rank5", "mAP", "mAP_trapezoid"):
        assert drawn[name] == pytest.approx(whole[name])
        assert drawn[f"{name}_spread"] == 0


def test_draws_repeat_with_the_seed(features: Features) -> None:
    one = single_shot(features, draws=5, seed=1)
    assert one.summary() == single_shot(features, draws=5, seed=1).summary()
    assert one.summary() != single_shot(features, draws=5, seed=2).summary()
    assert "single gallery shot" in str(one.card["protocol"])
    assert (one.card["draws"], one.card["draw_seed"]) == (5, 1)


def test_dropped_queries_and_ties_are_as_in_the_standard_protocol() -> None:
    rows = np.ones((4, 2), np.float32)
    gallery = FeatureSet(
        rows, np.array([1, 1, 2, JUNK]), np.array([1, 2, 1, 1]), np.array(list("abcd"))
    )
    query = FeatureSet(rows[:3], np.array([1, 2, 3]), np.array([1, 1, 1]), np.array(list("xyz")))
    result = single_shot(Features(query, gallery), draws=4)
    assert result.per_query["status"].tolist()[0] == "counted"
    assert "own camera 1" in result.per_query["status"][1]
    assert "no gallery picture of identity 3" in result.per_query["status"][2]
    assert result.per_query["rank1"][0] == 0  # equal to the other identity's picture
    assert result.summary()["dropped_queries"] == 2


def test_single_shot_needs_draws_and_positives(features: Features) -> None:
    with pytest.raises(InputError, match="0 or more, got -1"):
        single_shot(features, draws=2, seed=-1)
    with pytest.raises(InputError, match="2 to 10,000 draws"):
        single_shot(features, draws=1)
    lost = dataclasses.replace(features.query, pids=features.query.pids + 100)
    with pytest.raises(InputError, match="none of 12 queries"):
        single_shot(dataclasses.replace(features, query=lost))


def test_multi_query_pools_a_person_by_a_camera() -> None:
    query = FeatureSet(
        np.array([[2, 0], [0, 3], [1, 0]], np.float32),
        pids=np.array([1, 1, 1]),
        camids=np.array([1, 1, 2]),
        names=np.array(["a", "b", "c"]),
    )
    features = Features(query, query)
    pooled = multi_query(features)
    np.testing.assert_allclose(pooled.query.features, [[0.5, 0.5], [1, 0]])
    assert pooled.query.names.tolist() == ["a", "c"]
    highest = multi_query(features, pooling="max")
    np.testing.assert_allclose(highest.query.features[0], [1, 1])
    assert "multi-query: mean" in str(score(pooled).card["query_protocol"])
    assert "single query" in str(score(features).card["query_protocol"])


def test_multi_query_takes_further_pictures_and_keeps_the_list() -> None:
    query = FeatureSet(
        np.array([[1, 0], [0, 2]], np.float32),
        np.array([1, 2]),
        np.array([1, NO_CAMERA]),
        np.array(["a", "b"]),
    )
    more = FeatureSet(
        np.array([[0, 5], [3, 0]], np.float32),
        np.array([1, 1]),
        np.array([1, 2]),
        np.array(["m", "n"]),
    )
    pooled = multi_query(Features(query, query), more)
    np.testing.assert_allclose(pooled.query.features, [[0, 1], [0, 1]])
    assert pooled.query.names.tolist() == ["a", "b"]
    narrow = dataclasses.replace(more, features=more.features[:, :1])
    with pytest.raises(InputError, match="1 columns, queries 2"):
        multi_query(Features(query, query), narrow)


@pytest.mark.real
@pytest.mark.parametrize(
    ("model", "group", "every_picture", "rank1", "rank3"),
    [
        ("0277", "partial", [92.67, 96.00, 97.00, 98.67, 89.25], (87.8, 1.4), (94.7, 1.1)),
        ("0277", "occluded", [91.67, 95.33, 96.67, 99.33, 90.22], (88.6, 1.2), (96.2, 1.0)),
        ("0287", "partial", [84.33, 89.00, 92.00, 94.67, 81.64], (79.8, 1.5), (88.9, 1.2)),
        ("0287", "occluded", [88.67, 96.33, 97.67, 99.33, 85.82], (83.8, 1.3), (93.7, 1.1)),
    ],
)
def test_partial_reid(
    model: str,
    group: str,
    every_picture: list[float],
    rank1: tuple[float, float],
    rank3: tuple[float, float],
) -> None:
    path = REAL / f"partial_reid_{model}.npz"
    if not path.exists():
        pytest.skip("needs the public models' features of Partial-REID")
    features = feature_file.read(path, query=group, gallery="whole")
    whole = score(features, camera_filter=False).summary(percent=True, draws=0)
    assert [whole[n] for n in ("rank1", "rank3", "rank5", "rank10", "mAP")] == every_picture
    summary = single_shot(features, camera_filter=False).summary(percent=True)
    # Two means of 100 draws differ by chance by a seventh of the spread; allow four of those.
    for name, (mean, spread) in {"rank1": rank1, "rank3": rank3}.items():
        assert summary[name] == pytest.approx(mean, abs=4 * spread * np.sqrt(2 / 100) + 0.05)
        assert summary[f"{name}_spread"] == pytest.approx(spread, rel=0.4)
