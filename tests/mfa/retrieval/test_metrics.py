"""Scores against an oracle that sorts whole lists and walks them with plain loops."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mfa.errors import InputError
from mfa.records import JUNK, NO_CAMERA, Features, FeatureSet
from mfa.retrieval import distances as distances_module
from mfa.retrieval import feature_file
from mfa.retrieval.distances import FeatureDistances
from mfa.retrieval.metrics import score

REAL = Path(__file__).resolve().parents[3].parent / "shared/data/features"


def make(
    query: list[list[float]] | np.ndarray,
    gallery: list[list[float]] | np.ndarray,
    query_ids: list[tuple[int, int]],
    gallery_ids: list[tuple[int, int]],
) -> Features:
    """Features from rows and (pid, camid) pairs."""

    def side(rows: list[list[float]] | np.ndarray, ids: list[tuple[int, int]]) -> FeatureSet:
        return FeatureSet(
            features=np.array(rows, dtype=np.float32),
            pids=np.array([pid for pid, _ in ids], dtype=np.int64),
            camids=np.array([camid for _, camid in ids], dtype=np.int64),
            names=np.array([f"{i}.jpg" for i in range(len(ids))]),
        )

    return Features(query=side(query, query_ids), gallery=side(gallery, gallery_ids))


def on_circle(*degrees: float) -> list[list[float]]:
    """Unit vectors at angles, so that the order of cosines is the order of angles."""
    return [[math.cos(math.radians(a)), math.sin(math.radians(a))] for a in degrees]


def random_features(seed: int) -> Features:
    """A small problem with ties, junk, distractors, unknown cameras and lone identities."""
    rng = np.random.default_rng(seed)
    queries, gallery = int(rng.integers(1, 30)), int(rng.integers(1, 60))
    people, cameras = int(rng.integers(1, 9)), int(rng.integers(1, 4))
    # Coordinates from a few integers: many vectors and many distances are equal.
    coordinates = rng.integers(-1, 3, size=(queries + gallery, int(rng.integers(1, 4))))
    pids = rng.integers(-1, people, size=queries + gallery)
    camids = rng.integers(-1, cameras, size=queries + gallery)
    ids = list(zip(pids.tolist(), camids.tolist(), strict=True))
    return make(coordinates[:queries], coordinates[queries:], ids[:queries], ids[queries:])


@dataclass
class Expected:
    """What the oracle finds for one query."""

    ranks: list[int]
    precision: float
    trapezoid: float
    penalty: float


def oracle(distances: np.ndarray, features: Features, camera_filter: bool) -> list[Expected | None]:
    """Sort every list (non-matches first among equals) and walk it; None for a dropped query."""
    results: list[Expected | None] = []
    for q in range(len(features.query)):
        pid, camera = int(features.query.pids[q]), int(features.query.camids[q])
        entries = []
        for g in range(len(features.gallery)):
            other, where = int(features.gallery.pids[g]), int(features.gallery.camids[g])
            if other == JUNK:
                continue
            same_camera = camera != NO_CAMERA and where == camera
            if camera_filter and other == pid and same_camera:
                continue
            entries.append((float(distances[q, g]), other == pid))
        entries.sort()
        ranks = [place for place, (_, match) in enumerate(entries, start=1) if match]
        if not ranks or pid == JUNK:
            results.append(None)
            continue
        step = area = 0.0
        for found, rank in enumerate(ranks, start=1):
            step += found / rank
            before = 1.0 if rank == 1 else (found - 1) / (rank - 1)
            area += (before + found / rank) / 2
        count = len(ranks)
        results.append(Expected(ranks, step / count, area / count, count / ranks[-1]))
    return results


def own_distances(features: Features, metric: str, block: int) -> np.ndarray:
    """Euclidean: in loops, exact on whole numbers. Cosine: the package's own, block by block.

    Parallel vectors have cosines that differ by rounding only, and rounding depends on the block.
    """
    query, gallery = features.query.features, features.gallery.features
    if metric == "euclidean":
        return np.array([[sum((q - g) ** 2) for g in gallery] for q in query])
    distances = FeatureDistances(query, gallery)
    ends = [*range(block, len(query), block), len(query)]
    return np.concatenate([distances.keys(max(0, e - 1) // block * block, e) for e in ends])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("camera_filter", [True, False])
@pytest.mark.parametrize("seed", range(24))
def test_scores_equal_the_oracle(
    seed: int, camera_filter: bool, metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = random_features(seed)
    block = 1 + seed % 5
    monkeypatch.setattr(distances_module, "BLOCK", block)
    expected = oracle(own_distances(features, metric, block), features, camera_filter)
    if not any(expected):
        with pytest.raises(InputError, match="can be scored"):
            score(features, camera_filter=camera_filter, distance=metric)
        return
    result = score(features, camera_filter=camera_filter, distance=metric, max_rank=7)
    for row, found in zip(result.per_query.itertuples(), expected, strict=True):
        if found is None:
            assert row.status != "counted"
            assert math.isnan(row.AP)
            assert row.positives == 0
        else:
            assert row.status == "counted"
            assert pytest.approx(found.precision, abs=1e-12) == row.AP
            assert row.AP_trapezoid == pytest.approx(found.trapezoid, abs=1e-12)
            assert pytest.approx(found.penalty, abs=1e-12) == row.INP
            assert (row.first_match_rank, row.last_match_rank) == (found.ranks[0], found.ranks[-1])
            assert row.positives == len(found.ranks)
    counted = [found for found in expected if found]
    for k in range(1, 8):
        share = sum(found.ranks[0] <= k for found in counted) / len(counted)
        assert result.cmc[k - 1] == pytest.approx(share)
        assert result.rank(k) == pytest.approx(share)
    assert result.mAP == pytest.approx(np.mean([found.precision for found in counted]))


def test_counting_and_sorting_agree_on_a_long_gallery() -> None:
    # Far positives among thousands of candidates take the other way of counting.
    rng = np.random.default_rng(3)
    gallery = np.concatenate([rng.normal(size=(3000, 4)), -np.ones((2, 4))])
    ids = [(2, 1)] * 3000 + [(1, 1)] * 2
    features = make(np.ones((1, 4)), gallery, [(1, 0)], ids)
    distances = FeatureDistances(features.query.features, features.gallery.features)
    (expected,) = oracle(distances.keys(0, 1), features, True)
    assert expected is not None
    row = score(features).per_query.iloc[0]
    assert (row.first_match_rank, row.last_match_rank) == tuple(expected.ranks)
    assert pytest.approx(expected.precision, abs=1e-12) == row.AP


def test_both_rules_by_hand() -> None:
    # The list reads: match, no, match, no, no, match. Ranks 1, 3, 6.
    features = make(
        on_circle(0),
        on_circle(1, 2, 3, 4, 5, 6),
        [(1, 0)],
        [(1, 1), (2, 1), (1, 1), (2, 1), (2, 1), (1, 1)],
    )
    row = score(features).per_query.iloc[0]
    assert pytest.approx((1 / 1 + 2 / 3 + 3 / 6) / 3) == row.AP
    assert row.AP_trapezoid == pytest.approx(
        ((1 + 1) / 2 + (1 / 2 + 2 / 3) / 2 + (2 / 5 + 3 / 6) / 2) / 3
    )
    assert pytest.approx(3 / 6) == row.INP


@pytest.mark.parametrize("size", [2, 5, 13, 100, 317])
def test_a_collapsed_model_scores_as_the_worst_order(size: int) -> None:
    # One point for all pictures, in widths where BLAS rounds edge columns differently.
    rng = np.random.default_rng(size)
    point = rng.normal(size=531)
    ids = [(1, 1)] + [(2, 1)] * (size - 1)
    for order in (ids, ids[::-1]):
        features = make([point] * 3, np.tile(point, (size, 1)), [(1, 0)] * 3, order)
        result = score(features)
        assert result.per_query["first_match_rank"].tolist() == [size] * 3
        assert result.rank(1) == 0


def test_order_of_files_does_not_matter() -> None:
    features = random_features(5)
    shuffled = np.random.default_rng(0).permutation(len(features.gallery))
    gallery = features.gallery.take(shuffled)
    one = score(features).per_query.drop(columns="name")
    two = score(Features(query=features.query, gallery=gallery)).per_query.drop(columns="name")
    assert one.equals(two)


def test_cmc_never_falls_when_the_gallery_is_short() -> None:
    features = make(
        on_circle(0, 90), on_circle(1, 2, 95), [(1, 0), (2, 0)], [(3, 1), (1, 1), (2, 1)]
    )
    curve = score(features, max_rank=10).cmc
    assert len(curve) == 10
    assert (np.diff(curve) >= 0).all()
    assert curve.tolist() == [0.5] + [1.0] * 9


def test_a_dropped_query_keeps_its_row_and_says_why() -> None:
    features = make(
        on_circle(0, 10, 20, 30),
        on_circle(0, 10, 20),
        [(1, 1), (2, 1), (3, 1), (JUNK, 1)],
        [(1, 2), (2, 1), (9, 1)],
    )
    result = score(features)
    status = result.per_query["status"].tolist()
    assert status[0] == "counted"
    assert "1 gallery pictures of identity 2 are by the query's own camera 1" in status[1]
    assert status[2] == "no gallery picture of identity 3"
    assert "junk" in status[3]
    assert result.per_query["query"].tolist() == [0, 1, 2, 3]
    assert result.summary()["dropped_queries"] == 3
    assert result.rank(1) == 1


def test_when_every_query_is_dropped_the_error_counts_and_advises() -> None:
    same_camera = make(on_circle(0, 9), on_circle(0, 9), [(1, 1), (2, 1)], [(1, 1), (2, 1)])
    with pytest.raises(InputError, match=r"none of 2 queries.*2 have pictures.*camera_filter=Fal"):
        score(same_camera)
    assert score(same_camera, camera_filter=False).rank(1) == 1
    other_ids = make(on_circle(0, 9), on_circle(0, 9), [(1, 1), (2, 1)], [(11, 2), (12, 2)])
    with pytest.raises(InputError, match=r"2 have no picture.*query pids 1 to 2, gallery pids 11"):
        score(other_ids)


def test_an_unknown_camera_equals_no_camera() -> None:
    features = make(on_circle(0), on_circle(1), [(1, NO_CAMERA)], [(1, NO_CAMERA)])
    result = score(features)
    assert result.rank(1) == 1
    assert result.card["camera_filter"] is False
    assert "no camera is known" in result.card["filter"]


def test_a_distractor_counts_as_a_nonmatch_and_junk_does_not() -> None:
    gallery = on_circle(1, 2, 3)
    near_junk = make(on_circle(0), gallery, [(1, 1)], [(JUNK, 2), (JUNK, 2), (1, 2)])
    near_distractor = make(on_circle(0), gallery, [(1, 1)], [(0, 2), (JUNK, 2), (1, 2)])
    assert score(near_junk).per_query["first_match_rank"].tolist() == [1]
    assert score(near_distractor).per_query["first_match_rank"].tolist() == [2]


def test_scoring_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances_module, "BLOCK", 4)
    shares: list[float] = []
    features = random_features(1)
    score(features, progress=shares.append)
    queries = len(features.query)
    assert queries > 8
    assert shares == [start / queries for start in range(0, queries, 4)]


def test_nan_is_refused_with_its_row() -> None:
    with pytest.raises(InputError, match=r"1 of 2 features hold NaN.*row 1 \(1.jpg\)"):
        make(on_circle(0), [[0, 1], [0, math.nan]], [(1, 1)], [(1, 2), (2, 2)])


@pytest.mark.parametrize("option", [{"max_rank": 0}, {"distance": "manhattan"}])
def test_options_out_of_range_are_refused(option: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"must be|no distance"):
        score(random_features(1), **option)  # type: ignore[arg-type]


def test_an_empty_side_is_refused() -> None:
    with pytest.raises(InputError, match="gallery list is empty"):
        score(make(on_circle(0), np.zeros((0, 2)), [(1, 1)], []))


@pytest.mark.real
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("0277", [96.17, 98.52, 99.20, 99.55, 87.71, 87.30, 62.29]),
        ("0288", [86.13, 94.39, 96.44, 97.74, 59.78, 58.86, 16.56]),
    ],
)
def test_market1501_figures(model: str, expected: list[float]) -> None:
    path = REAL / f"market1501_{model}.npz"
    if not path.exists():
        pytest.skip("needs the public models' features of Market-1501")
    summary = score(feature_file.read(path)).summary(percent=True, draws=0)
    names = ("rank1", "rank5", "rank10", "rank20", "mAP", "mAP_trapezoid", "mINP")
    assert [summary[name] for name in names] == expected
    assert (summary["queries"], summary["gallery"], summary["dropped_queries"]) == (3368, 15913, 0)
