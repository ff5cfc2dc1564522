"""Dropped queries, unreadable pictures and distractors in everything that reads a query table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfa.comparison.breakdown import by_camera_pair
from mfa.comparison.compare import overview
from mfa.comparison.failures import tag_queries
from mfa.comparison.verification import verify
from mfa.datasets import load_dataset
from mfa.inference.evaluate import evaluate, extract_features
from mfa.records import ReidDataset
from mfa.retrieval.branch_weights import score_branches
from mfa.retrieval.protocols import multi_query, single_shot
from mfa.retrieval.results import RetrievalResult
from mfa.retrieval.statistics import flipped, intervals, paired_test
from mfa.runs.run import Run, open_run

GALLERY = [
    *(f"{pid:04}_c{cam}s1_000002_00.jpg" for pid in (11, 12, 14) for cam in (1, 2, 3)),
    "-1_c2s1_000001_00.jpg",
    "0000_c2s1_000001_00.jpg",
    "0000_c3s1_000001_00.jpg",
]


@pytest.fixture(scope="module")
def data(draw: Any, tmp_path_factory: pytest.TempPathFactory) -> ReidDataset:
    """Nobody of query 13 is in the gallery; query 11 and one gallery picture cannot be read."""
    root = draw(tmp_path_factory.mktemp("dropped"), gallery=GALLERY)
    for broken in ("query/0011_c1s1_000001_00.jpg", f"bounding_box_test/{GALLERY[1]}"):
        (root / "synthetic" / broken).write_bytes(b"no picture")
    return load_dataset("synthetic", root)


@pytest.fixture(scope="module")
def run(trained: Path) -> Run:
    return open_run(trained, device="cpu")


@pytest.fixture(scope="module")
def result(run: Run, data: ReidDataset) -> RetrievalResult:
    return evaluate(run, data)


def test_the_table_counts_rows_and_names_the_pictures(
    result: RetrievalResult, data: ReidDataset
) -> None:
    table = result.per_query
    assert table["query"].tolist() == [0, 1, 2]
    assert table["pid"].tolist() == [12, 13, 14]
    assert table["AP"].isna().tolist() == [False, True, False]
    assert result.features is not None
    for side, samples in (("query", data.query), ("gallery", data.gallery)):
        rows = getattr(result.features, side)
        assert [samples[place].path.name for place in rows.positions] == rows.names.tolist()
    ranking = result.ranking(2, 50, include_ignored=True)
    names = result.features.gallery.names
    assert ranking["name"].tolist() == names[ranking["gallery"]].tolist()
    assert len(ranking) == len(GALLERY) - 1


def test_figures_are_of_the_counted_queries_alone(result: RetrievalResult, tmp_path: Path) -> None:
    assert result.mAP == result.per_query["AP"].dropna().mean()
    summary = result.summary()
    assert (summary["queries"], summary["dropped_queries"]) == (3, 1)
    assert np.isfinite(intervals(result.per_query)["rank1"]).all()
    result.save(tmp_path / "kept.json")
    json.loads((tmp_path / "kept.json").read_text(), parse_constant=pytest.fail)
    loaded = RetrievalResult.load(tmp_path / "kept.json")
    assert loaded.summary() == summary
    assert paired_test(loaded.per_query, result.per_query).queries == 2


def test_comparisons_leave_the_dropped_query_out(run: Run, data: ReidDataset) -> None:
    features = extract_features(run, data)
    whole = evaluate(run, data)
    alone = score_branches(features, {"branch1": 1.0})
    assert 1 not in flipped(whole.per_query, alone.per_query)["query"].tolist()
    found = overview({"whole": whole, "branch1": alone})
    assert found.table["dropped"].tolist() == [1, 1]
    assert 1 not in tag_queries(whole, brightness=[1, 2, 3])["query"].tolist()
    pairs = by_camera_pair(features)
    assert pairs["queries"].max() <= 2
    assert verify(features).same == int(whole.per_query["positives"].sum())


def test_other_protocols_drop_the_same_query(run: Run, data: ReidDataset) -> None:
    features = extract_features(run, data)
    drawn = single_shot(features, draws=3)
    assert drawn.per_query["rank1"].isna().tolist() == [False, True, False]
    assert drawn.summary()["dropped_queries"] == 1
    pooled = multi_query(features)
    assert pooled.query.positions is not None
    assert pooled.query.positions.tolist() == [1, 2, 3]
