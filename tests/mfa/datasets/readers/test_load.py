from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mfa.datasets import LAYOUTS, data_root, load_dataset
from mfa.datasets.readers.find import dataset_in
from mfa.errors import InputError
from mfa.records import NO_CAMERA


def labels(samples: object) -> list[tuple[int, int]]:
    return [(s.pid, s.camid) for s in samples]  # type: ignore[attr-defined]


def test_market_lists_are_read_from_the_names(market: Path) -> None:
    dataset = load_dataset("market1501", market)
    assert dataset.root == market / "market1501"
    assert dataset.train_pids == (2, 7, 10)
    assert labels(dataset.query) == [(1, 1), (1, 2), (3, 1), (3, 2)]
    assert labels(dataset.gallery) == [
        (-1, 1), (0, 1), (0, 2), (1, 1), (1, 2), (3, 1), (3, 2),
    ]  # fmt: skip
    assert dataset.notes == ()


def test_the_root_may_be_the_dataset_itself(market: Path) -> None:
    inside = load_dataset("market1501", market / "market1501")
    assert inside.fingerprint == load_dataset("market1501", market).fingerprint


def test_system_litter_is_ignored_and_strange_names_are_counted(market: Path) -> None:
    train = market / "market1501/bounding_box_train"
    clean = load_dataset("market1501", market)
    for name in ("Thumbs.db", ".DS_Store", "._0002_c1s1_000001_00.jpg"):
        (train / name).write_bytes(b"x")
    (train / "__MACOSX").mkdir()
    assert load_dataset("market1501", market) == clean
    (train / "0002_c1_f0046182.jpg").write_bytes(b"x")
    (train / "me on the beach.jpg").write_bytes(b"x")
    (train / "notes.txt").write_bytes(b"x")
    dataset = load_dataset("market1501", market)
    assert dataset.train == clean.train
    assert len(dataset.notes) == 2
    text = " ".join(dataset.notes)
    assert "left out 2" in text
    assert "0002_c1_f0046182.jpg" in text
    assert "notes.txt" in text


def test_partial_reid_and_its_occluded_queries(partial: Path) -> None:
    dataset = load_dataset("partial_reid", partial)
    assert dataset.train == ()
    assert labels(dataset.query) == [(p, NO_CAMERA) for p in (1, 1, 2, 2, 3, 3)]
    assert {s.path.parent.name for s in dataset.query} == {"partial_body_images"}
    assert {s.path.parent.name for s in dataset.gallery} == {"whole_body_images"}
    occluded = load_dataset("partial_reid_occluded", partial)
    assert {s.path.parent.name for s in occluded.query} == {"occluded_body_images"}
    assert occluded.gallery == dataset.gallery
    assert occluded.fingerprint != dataset.fingerprint


def test_partial_reid_without_the_queries_that_are_not_asked_for(partial: Path) -> None:
    whole = load_dataset("partial_reid", partial)
    shutil.rmtree(partial / "partial_reid/occluded_body_images")
    assert load_dataset("partial_reid", partial) == whole
    assert "lacks occluded_body_images" in refusal("partial_reid_occluded", partial)


def test_the_root_comes_from_the_argument_then_the_variable_then_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MFA_DATA", raising=False)
    assert data_root(None) == Path("data")
    monkeypatch.setenv("MFA_DATA", str(tmp_path))
    assert data_root(None) == tmp_path
    assert data_root(Path("other")) == Path("other")


def refusal(name: str, root: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_dataset(name, root)
    return str(caught.value)


def test_an_unknown_name_lists_the_known(market: Path) -> None:
    said = refusal("market", market)
    assert "market1501" in said
    assert "partial_reid" in said


def test_a_missing_root_is_named(tmp_path: Path) -> None:
    said = refusal("market1501", tmp_path / "nowhere")
    assert "nowhere" in said
    assert "--data-root" in said


def test_a_missing_dataset_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    said = refusal("market1501", tmp_path)
    assert "Market-1501-v15.09.15" in said
    assert "holiday/" in said
    assert "mfa data prepare market1501" in said
    assert "mfa data make synthetic" in refusal("synthetic", tmp_path)


def test_usual_names_of_the_folder_and_the_nesting_of_other_libraries_are_read(
    market: Path,
) -> None:
    place = (market / "market1501").rename(market / "Market-1501-v15.09.15")
    assert len(load_dataset("market1501", market).train) == 12
    (market / "Market_1501").mkdir()
    place.rename(market / "Market_1501/market-1501-V15.09.15")
    assert len(load_dataset("market1501", market).train) == 12


def test_no_real_dataset_is_passed_off_as_drawn(market: Path) -> None:
    """The synthetic set has Market-1501's layout and names; its record tells them apart."""
    for root in (market, market / "market1501"):
        said = refusal("synthetic", root)
        assert "rename" not in said
        assert "mfa data make synthetic" in said or "read it as market1501" in said
    (market / "market1501").rename(market / "synthetic")
    assert "lacks synthetic.json" in refusal("synthetic", market)
    (market / "synthetic/synthetic.json").write_text("{}")
    assert len(load_dataset("synthetic", market).train) == 12
    assert dataset_in(market / "synthetic") is LAYOUTS["synthetic"]
