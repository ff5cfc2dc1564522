"""Sparse re-ranking against the published algorithm written densely, loop by loop."""

from __future__ import annotations

import dataclasses
import tracemalloc

import numpy as np
import pytest

from benchmarks.made import made_features
from mfa.errors import InputError
from mfa.records import JUNK, Features
from mfa.retrieval import rerank
from mfa.retrieval.metrics import score
from mfa.retrieval.rerank import ReciprocalDistances, memory_need


def dense(features: Features, k1: int, k2: int, original_weight: float) -> np.ndarray:
    """Zhong et al. 2017, section 3, with sets and whole matrices; (queries, gallery)."""
    rows = np.concatenate([features.query.features, features.gallery.features]).astype(float)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    count, queries = len(rows), len(features.query)
    distance = np.array([[((a - b) ** 2).sum() for b in rows] for a in rows])
    distance /= distance.max(axis=1, keepdims=True)
    nearest = np.argsort(distance, axis=1, kind="stable")

    def reciprocal(i: int, k: int) -> set[int]:
        return {int(j) for j in nearest[i, : k + 1] if i in nearest[j, : k + 1]}

    weights = np.zeros((count, count))
    for i in range(count):
        own = reciprocal(i, k1)
        members = set(own)
        for j in own:
            theirs = reciprocal(j, round(k1 / 2))
            if len(theirs & own) > 2 / 3 * len(theirs):
                members |= theirs
        for j in members:
            weights[i, j] = np.exp(-distance[i, j])
        weights[i] /= weights[i].sum()
    if k2 > 1:
        weights = np.array([weights[nearest[i, :k2]].mean(axis=0) for i in range(count)])
    result = np.zeros((queries, count - queries))
    for i in range(queries):
        for g in range(count - queries):
            a, b = weights[i], weights[queries + g]
            jaccard = 1 - np.minimum(a, b).sum() / np.maximum(a, b).sum()
            original = distance[i, queries + g]
            result[i, g] = original_weight * original + (1 - original_weight) * jaccard
    return result


def small(seed: int = 0) -> Features:
    return made_features(
        queries=14, gallery=70, people=8, distractors=6, cameras=3, width=6, noise=1.0, seed=seed
    )


@pytest.mark.parametrize(
    ("k1", "k2", "original_weight"), [(20, 6, 0.3), (7, 3, 0.0), (5, 1, 0.5), (9, 2, 1.0)]
)
def test_equal_to_the_dense_algorithm(
    k1: int, k2: int, original_weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerank, "BLOCK", 11)
    features = small()
    sparse = ReciprocalDistances(features, k1=k1, k2=k2, original_weight=original_weight)
    expected = dense(features, k1, k2, original_weight)
    np.testing.assert_allclose(sparse.keys(0, 14), expected, atol=2e-6)
    np.testing.assert_allclose(sparse.keys(3, 9), expected[3:9], atol=2e-6)


def test_it_helps_and_the_card_says_it_was_on() -> None:
    features = made_features(
        queries=40, gallery=400, people=20, distractors=40, cameras=4, width=32, noise=1.6
    )
    plain = score(features)
    ranked = score(features, distance=ReciprocalDistances(features))
    assert ranked.mAP > plain.mAP + 0.02
    assert ranked.card["reranking"] == "k-reciprocal, k1=20, k2=6, lambda=0.3"
    assert plain.card["reranking"] == "none"
    first = ranked.ranking(0, k=400)
    assert first["distance"].is_monotonic_increasing
    row = ranked.per_query.iloc[0]
    assert first.loc[first["match"], "rank"].iloc[0] == row["first_match_rank"]


def test_junk_is_nobodys_neighbour() -> None:
    features = small()
    pids = features.gallery.pids.copy()
    junk = np.arange(0, 70, 9)
    pids[junk] = JUNK
    with_junk = dataclasses.replace(
        features, gallery=dataclasses.replace(features.gallery, pids=pids)
    )
    kept = np.flatnonzero(pids != JUNK)
    gallery = features.gallery
    without = dataclasses.replace(
        features,
        gallery=dataclasses.replace(
            gallery,
            features=gallery.features[kept],
            pids=gallery.pids[kept],
            camids=gallery.camids[kept],
            names=gallery.names[kept],
        ),
    )
    one = ReciprocalDistances(with_junk, k1=6, k2=2).keys(0, 14)
    two = ReciprocalDistances(without, k1=6, k2=2).keys(0, 14)
    np.testing.assert_allclose(one[:, kept], two, atol=1e-6)
    assert np.isinf(one[:, junk]).all()


def test_memory_stays_below_what_was_said() -> None:
    features = made_features(
        queries=100, gallery=900, people=40, distractors=60, cameras=4, width=16, noise=1.2
    )
    tracemalloc.start()
    distances = ReciprocalDistances(features)
    distances.keys(0, 64)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    need = memory_need(100, 900, 16)
    assert peak < need.likely < need.most


def test_it_tells_how_far_it_is_and_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rerank, "BLOCK", 20)
    shares: list[float] = []
    ReciprocalDistances(small(), k1=5, k2=3, progress=shares.append)
    assert shares[0] == 0
    assert len(shares) > 5
    assert shares == sorted(shares)
    assert shares[-1] < 1

    def enough(share: float) -> None:
        if share > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        ReciprocalDistances(small(), k1=5, k2=3, progress=enough)


def test_msmt17_would_fit_where_the_dense_algorithm_does_not() -> None:
    need = memory_need(11659, 82161, 512)
    assert need.likely < 2 * 2**30
    assert need.dense > 32 * 2**30


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k1": 100}, "more than 100 pictures, there are 84"),
        ({"k2": 0}, "1 <= k2"),
        ({"k1": 4, "k2": 6}, "1 <= k2"),
        ({"original_weight": 1.5}, r"in \[0, 1\]"),
    ],
)
def test_settings_out_of_range_are_refused(options: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        ReciprocalDistances(small(), **options)  # type: ignore[arg-type]
