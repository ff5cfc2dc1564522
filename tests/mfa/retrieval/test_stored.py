"""Galleries on disk and their indexes, against the same features in memory."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import mfa
from benchmarks.made import made_features
from mfa.errors import InputError
from mfa.records import Features, FeatureSet
from mfa.retrieval import stored
from mfa.retrieval.distances import FeatureDistances
from mfa.retrieval.metrics import score

SIZES = MappingProxyType(
    {"queries": 40, "gallery": 700, "people": 30, "distractors": 50, "cameras": 3, "width": 24}
)


def parts(gallery: FeatureSet, size: int) -> list[FeatureSet]:
    cuts = [slice(first, first + size) for first in range(0, len(gallery), size)]
    return [
        FeatureSet(gallery.features[c], gallery.pids[c], gallery.camids[c], gallery.names[c])
        for c in cuts
    ]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Features, FeatureSet]:
    """Features in memory, and their gallery read from disk, which is read in pieces of 128."""
    monkeypatch.setattr(stored, "ROWS", 128)
    features = made_features(**SIZES, noise=1.0)
    features.gallery.features[500] = features.gallery.features[3]
    mfa.write_stored(tmp_path / "gallery", parts(features.gallery, 300), 700)
    return features, mfa.read_stored(tmp_path / "gallery")


def test_what_was_written_is_read(made: tuple[Features, FeatureSet]) -> None:
    features, gallery = made
    assert isinstance(gallery.features, np.memmap)
    assert gallery.features.dtype == np.float16
    for name in ("pids", "camids", "names"):
        np.testing.assert_array_equal(getattr(gallery, name), getattr(features.gallery, name))


def test_scores_and_distances_are_those_of_the_same_features_in_memory(
    made: tuple[Features, FeatureSet],
) -> None:
    features, gallery = made
    query = features.query.features
    there = mfa.StoredDistances(query, gallery.features)
    here = FeatureDistances(query, np.array(gallery.features, dtype=np.float32))
    np.testing.assert_allclose(there.keys(5, 30), here.keys(5, 30), atol=2e-7)
    order = np.random.default_rng(0).permutation(700)
    np.testing.assert_allclose(
        there.reordered(order).keys(0, 9), here.reordered(order).keys(0, 9), atol=2e-7
    )
    pair = Features(features.query, gallery)
    assert score(pair, distance=there).mAP == pytest.approx(score(pair, distance=here).mAP)
    assert there.keys(0, 40)[:, 3].tolist() == there.keys(0, 40)[:, 500].tolist()


@pytest.mark.parametrize("k", [1, 10, 300, 700])
def test_nearest_pictures_are_those_of_a_sort(made: tuple[Features, FeatureSet], k: int) -> None:
    features, gallery = made
    distances = mfa.StoredDistances(features.query.features, gallery.features).keys(0, 40) + 1
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    places, values = mfa.nearest_stored(features.query.features, gallery.features, k)
    np.testing.assert_allclose(values, np.take_along_axis(distances, order, 1), atol=2e-7)
    # Sums of another block may round another way, so that neighbours a hair apart swap.
    assert (places == order).mean() > 0.99


@pytest.mark.parametrize("rows", [699, 701])
def test_a_wrong_number_of_pictures_is_refused(tmp_path: Path, rows: int) -> None:
    gallery = made_features(**SIZES, noise=1.0).gallery
    with pytest.raises(InputError, match="pictures"):
        mfa.write_stored(tmp_path, parts(gallery, 300), rows)


def test_a_folder_without_a_gallery_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no stored gallery"):
        mfa.read_stored(tmp_path)
    (tmp_path / "features.npy").write_bytes(b"no array")
    with pytest.raises(InputError, match="is no stored gallery"):
        mfa.read_stored(tmp_path)
    with pytest.raises(InputError, match="k must be 1 to 7"):
        mfa.nearest_stored(np.eye(7), np.eye(7), 8)


def test_an_index_finds_what_a_scan_finds(made: tuple[Features, FeatureSet]) -> None:
    pytest.importorskip("faiss")
    features, gallery = made
    places, distances = mfa.nearest_stored(features.query.features, gallery.features, 10)
    found, values = mfa.make_index(gallery.features)(features.query.features, 10)
    assert (found[:, :, None] == places[:, None]).any(2).mean() > 0.98
    np.testing.assert_allclose(values[found == places], distances[found == places], atol=1e-6)


def test_a_compressed_index_finds_most_of_it() -> None:
    pytest.importorskip("faiss")
    features = made_features(**{**SIZES, "gallery": 10_000, "width": 8}, noise=0.5)
    query, gallery = features.query.features, features.gallery.features
    places, _ = mfa.nearest_stored(query, gallery, 50)
    found, distances = mfa.make_index(gallery, "ivf-pq")(query, 50)
    assert (found[:, :, None] == places[:, None]).any(2).mean() > 0.5
    assert (np.diff(distances) >= -1e-6).all()


def test_what_an_index_cannot_be_made_of_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss")
    with pytest.raises(InputError, match=r"use hnsw"):
        mfa.make_index(np.eye(8, dtype=np.float32), "ivf-pq")
    with pytest.raises(InputError, match="no index 'flat'"):
        mfa.make_index(np.eye(8, dtype=np.float32), "flat")  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(InputError, match=r"pip install 'mfa-workbench\[scale\]'"):
        mfa.make_index(np.eye(8, dtype=np.float32))


def test_the_code_of_the_page_runs_and_a_database_answers_as_a_scan(
    tiny_root: Path, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("faiss")
    pytest.importorskip("qdrant_client")
    shutil.copytree(tiny_run, tmp_path / "runs/mine")
    monkeypatch.setenv("MFA_DATA", str(tiny_root))
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[3] / "docs/scale.md").read_text()
    made: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/scale.md", "exec"), made)
    made["client"].close()
    query, gallery = made["query"], made["stored"]
    places, distances = mfa.nearest_stored(query.features[:1], gallery.features, len(gallery.pids))
    others = gallery.camids[places[0]] != query.camids[0]
    assert [point.id for point in made["found"]] == places[0, others][:10].tolist()
    np.testing.assert_allclose(
        [point.score for point in made["found"]], 1 - distances[0, others][:10], atol=1e-3
    )
    assert made["result"].mAP == pytest.approx(mfa.score(made["features"]).mAP, abs=1e-3)
