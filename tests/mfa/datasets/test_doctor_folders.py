"""The doctor on folders named by their path, which may hold anything or a part of something."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mfa.datasets import load_dataset
from mfa.datasets.doctor import examine
from mfa.errors import InputError

Tree = Callable[[Path, dict[str, Iterable[str]]], Path]


def test_one_version_of_cuhk03_is_recognised(tmp_path: Path, tree: Tree) -> None:
    three = ("bounding_box_train", "query", "bounding_box_test")
    names = ["0003_c1_21.png", "0003_c2_26.png"]
    tree(tmp_path / "cuhk03-np/labeled", dict.fromkeys(three, names))
    report = examine(str(tmp_path / "cuhk03-np"))
    assert report.name == "cuhk03_labeled"


@pytest.mark.parametrize(
    "folders",
    [
        {"train/0001": ["0001_C1_F0001_X207_Y308.jpg"], "query/0001": ["0002_C1_F0001_X1_Y2.jpg"],
         "gallery/0001": ["0002_C2_F0001_X1_Y2.jpg"]},  # DukeMTMC-VideoReID
        {"occluded_body_images": ["0001_c2_f0046182.jpg"], "whole_body_images":
         ["0001_c3_f0046182.jpg"], "partial_body_images": []},  # P-DukeMTMC-reID
        {"image_train": ["0001_c001_00016450_0.jpg"], "image_query": ["0002_c001_00016450_0.jpg"],
         "image_test": ["0002_c002_00016450_0.jpg"]},  # VeRi-776
    ],
)  # fmt: skip
def test_other_sets_are_not_called_by_a_wrong_name(
    tmp_path: Path, tree: Tree, folders: dict[str, list[str]]
) -> None:
    place = tree(tmp_path / "set", folders)
    report = examine(str(place))
    assert [f.code for f in report.findings] == ["unknown"]
    assert "mfa data folder" in report.findings[0].fix


@pytest.mark.parametrize("folders", [("anna", "bob"), ("train", "query", "gallery")])
def test_pictures_of_one_s_own_are_not_taken_for_a_dataset(
    tmp_path: Path, tree: Tree, folders: tuple[str, ...]
) -> None:
    """``1.jpg`` is a name of Partial-iLIDS, query and gallery are folders of two datasets."""
    place = tree(tmp_path / "my people", {name: ["1 (2).jpg", "b.jpg"] for name in folders})
    report = examine(str(place))
    assert report.findings[0].code == "unknown"
    assert f"mfa data folder '{place}' --pattern" in report.findings[0].fix
    assert examine(str(tree(tmp_path / "x", {"anna": ["1.jpg"]}))).findings[0].code == "unknown"


def test_an_empty_folder_is_examined_as_what_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "DukeMTMC-reID").mkdir()
    report = examine(str(tmp_path / "DukeMTMC-reID"))
    assert (report.name, report.findings[0].code) == ("dukemtmc", "incomplete")
    assert "found nothing" in report.findings[0].what


def test_one_cause_is_reported_once(market: Path) -> None:
    for path in (market / "market1501/query").iterdir():
        path.unlink()
    report = examine("market1501", market)
    assert [f.code for f in report.findings if f.severity != "note"] == ["empty-list"]


def test_what_may_not_be_listed_is_named(market: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shut, opened = market / "market1501", os.scandir

    def refuse(path: Path) -> object:
        if Path(path).is_relative_to(shut):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for target, root in (("market1501", market), (str(shut), None), ("market1501", shut)):
        report = examine(target, root)
        assert not report.clean
        assert "cannot be listed (Permission denied)" in report.findings[0].what


@pytest.mark.parametrize(
    "target",
    ["x" * 5000, "~nobody-of-that-name/x", "loop"],
)
def test_what_is_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    with pytest.raises(InputError, match="nor a folder that can be opened"):
        examine(target)
    assert not examine("market1501", Path(target)).clean


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"is a file; .* mfa data prepare NAME"):
        examine(str(tmp_path / "notes.txt"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_names_that_are_no_text_can_be_written_anywhere(market: Path) -> None:
    place = market.rename(Path(os.fsdecode(os.fsencode(market.parent) + b"/daten\xfc")))
    (place / "market1501/query" / os.fsdecode(b"\xff.jpg")).write_bytes(b"x")
    report = examine("market1501", place)
    assert report.clean
    assert r"\udcff.jpg" in report.text()
    assert report.text().encode("utf-8")
    assert json.dumps(report.to_dict(), ensure_ascii=False).encode("utf-8")


def table(folder: Path, *rows: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "dataset.csv").write_text("\n".join(("path,pid,camid,split", *rows)) + "\n")
    return folder


def test_a_table_may_be_to_train_on_or_to_score_alone(tmp_path: Path, tree: Tree) -> None:
    place = tree(tmp_path, {"a": ["1.jpg", "2.jpg"]})
    table(place, "a/1.jpg,7,1,train", "a/2.jpg,7,2,train")
    report = examine(str(place))
    assert report.clean
    assert [(s.split, s.images) for s in report.summaries] == [("train", 2)]
    assert len(load_dataset("folder", place).train) == 2
    table(place, "a/1.jpg,7,1,query", "a/2.jpg,7,2,gallery")
    assert examine(str(place)).clean
    assert load_dataset("folder", place).train == ()


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ((), "holds no train pictures"),
        (("a/1.jpg,7,1,query",), "holds no gallery pictures"),
        (("a/1.jpg,7,1,gallery", "a/2.jpg,8,1,train"), "holds no query pictures"),
        (("b/1.jpg,7,1,train",), "left out 1: dataset.csv lists it and it is not there"),
    ],
)
def test_a_table_that_is_good_for_nothing_is_refused_by_both(
    tmp_path: Path, tree: Tree, rows: tuple[str, ...], says: str
) -> None:
    place = table(tree(tmp_path, {"a": ["1.jpg", "2.jpg"]}), *rows)
    with pytest.raises(InputError, match=says) as caught:
        load_dataset("folder", place)
    assert caught.value.fix.startswith("mend the rows of dataset.csv, or remove it")
    report = examine(str(place))
    assert report.findings[0].code == "empty-list"
    assert says in report.findings[0].what
    assert report.findings[0].fix
