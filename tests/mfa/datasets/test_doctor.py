"""The doctor on broken variants: each is named, none crashes, and the reader agrees."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mfa.datasets import load_dataset
from mfa.datasets.doctor import Report, examine
from mfa.datasets.doctor.report import draw
from mfa.errors import InputError, printable

Break = Callable[[Path], object]
"""Breaks the dataset in the folder ``market1501`` that it is given."""

Tree = Callable[[Path, dict[str, Iterable[str]]], Path]

TRAIN, QUERY, GALLERY = PARTS = ("bounding_box_train", "query", "bounding_box_test")


def last(folder: Path) -> Path:
    return sorted(folder.iterdir())[-1]


def remove(folder: Path, pattern: str = "*", most: int | None = None) -> None:
    for path in sorted(folder.glob(pattern))[:most]:
        path.unlink()


def rename_all(folder: Path, pattern: str, name: str) -> None:
    for path in sorted(folder.iterdir()):
        target = folder / re.sub(pattern, name, path.name)
        target.parent.mkdir(exist_ok=True)
        path.rename(target)


def copy(source: Path, target: Path) -> None:
    """The last picture of a folder under another name."""
    shutil.copy(last(source), target)


def link(path: Path, goal: str | Path) -> None:
    """A link in the place of a file or of nothing."""
    path.unlink(missing_ok=True)
    path.symlink_to(goal)


def too_deep(folder: Path) -> None:
    folder.rename(folder.with_name("x"))
    folder.mkdir()
    folder.with_name("x").rename(folder / "unpacked")


def instead_of_query(folder: Path, make: Callable[[Path], object]) -> None:
    shutil.rmtree(folder / QUERY)
    make(folder / QUERY)


def other_case(folder: Path) -> None:
    for part in PARTS:
        (folder / part).rename(folder / part.upper())


def pipe(folder: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no pipes in folders")
    os.mkfifo(folder / QUERY / "0001_c1s1_000099_00.jpg")


def no_text_in_a_name(folder: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("other systems take no such names")
    copy(folder / QUERY, folder / QUERY / os.fsdecode(b"0001_c1s1_\xff.jpg"))


def close(path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads whatever the permissions")
    path.chmod(0)


def macosx(folder: Path) -> None:
    for place in ("__MACOSX/query", QUERY):
        (folder / place).mkdir(parents=True, exist_ok=True)
        (folder / place / "._0001_c1s1_000009_00.jpg").write_bytes(b"x")


def thumbs(folder: Path) -> None:
    (folder / QUERY / "Thumbs.db").write_bytes(b"x")
    (folder / ".DS_Store").write_bytes(b"x")


def upper_case(folder: Path) -> None:
    rename_all(folder / QUERY, "jpg", "JPG")


def one_camera(folder: Path) -> None:
    for part in (QUERY, GALLERY):
        rename_all(folder / part, "_c1s1_", "_c1s2_")
        rename_all(folder / part, "_c2s1_", "_c1s1_")


def another_dataset(folder: Path) -> None:
    shutil.rmtree(folder)
    for place in ("partial_body_images", "whole_body_images"):
        (folder / place).mkdir(parents=True)
        for name in ("001_001.jpg", "002_001.jpg"):
            (folder / place / name).write_bytes(b"x")


def pack(folder: Path, kind: str) -> None:
    shutil.make_archive(str(folder.parent / "Market"), kind, folder.parent, "market1501")
    shutil.rmtree(folder)


def shared_person(folder: Path) -> None:
    content = last(folder / QUERY).read_bytes() + b"different"
    (folder / TRAIN / "0001_c1s1_000077_01.jpg").write_bytes(content)


CASES: dict[str, tuple[Break, str, str, str]] = {
    "no root": (lambda f: shutil.rmtree(f.parent), "missing", "error", "is no folder"),
    "empty root": (shutil.rmtree, "missing", "error", "found nothing"),
    "empty": (lambda f: (shutil.rmtree(f), f.mkdir()), "missing", "error", "found nothing"),
    "moved": (lambda f: f.rename(f.with_name("mine")), "missing", "error", "found mine/"),
    "too deep": (too_deep, "missing", "error", "found unpacked/"),
    "no query": (lambda f: shutil.rmtree(f / QUERY), "missing", "error", "lacks query"),
    "query is a file": (
        lambda f: instead_of_query(f, lambda query: query.write_text("x")),
        *("missing", "error", "query (there is a file of that name)"),
    ),
    "query is a loop": (
        lambda f: instead_of_query(f, lambda query: query.symlink_to(QUERY)),
        *("missing", "error", "query (there is a broken link of that name)"),
    ),
    "other case": (other_case, "missing", "error", "lacks bounding_box_train"),
    "renamed": (lambda f: (f / TRAIN).rename(f / "x"), "missing", "error", f"lacks {TRAIN}"),
    "another dataset": (another_dataset, "missing", "error", "read it as partial_reid"),
    "zip": (lambda f: pack(f, "zip"), "packed", "error", "prepare market1501 --archive"),
    "tar": (lambda f: pack(f, "gztar"), "packed", "error", "Market.tar.gz"),
    "not to be listed": (lambda f: close(f / QUERY), "unreadable", "error", "cannot be listed"),
    "empty query": (lambda f: remove(f / QUERY), "empty-list", "error", "no query pictures"),
    "half": (lambda f: remove(f / TRAIN, most=6), "half-copied", "error", "6 of the published 12"),
    "duke's names": (
        lambda f: rename_all(f / QUERY, r"(.{4})_c(.).*", r"\1_c\2_f0046182.jpg"),
        *("empty-list", "error", "the name is not like"),
    ),
    "people in folders": (
        lambda f: rename_all(f / QUERY, "^(.{4})", r"\1/\1"),
        *("empty-list", "error", "a folder, which"),
    ),
    "people in folders, too": (
        lambda f: rename_all(f / QUERY, "^(.{4})", r"\1/\1"),
        *("unexpected-folder", "warning", "0001"),
    ),
    "a strange name": (
        lambda f: copy(f / QUERY, f / QUERY / "0003_c2s1 é (2).jpg"),
        *("strange-name", "warning", "0003_c2s1 é (2).jpg"),
    ),
    "no text in a name": (no_text_in_a_name, "strange-name", "warning", "0001_c1s1_"),
    "pipe": (pipe, "broken-picture", "error", "0 bytes"),
    "cut short": (
        lambda f: os.truncate(last(f / QUERY), 300),
        *("broken-picture", "error", "truncated"),
    ),
    "0 bytes": (lambda f: os.truncate(last(f / GALLERY), 0), "broken-picture", "error", "0 bytes"),
    "a web page": (
        lambda f: last(f / TRAIN).write_text("<html>not found</html>"),
        *("broken-picture", "error", "a web page"),
    ),
    "a link to nothing": (
        lambda f: link(last(f / QUERY), f / "gone.jpg"),
        *("broken-picture", "error", "does not exist"),
    ),
    "a link to itself": (
        lambda f: link(last(f / QUERY), last(f / QUERY).name),
        *("broken-picture", "error", "leads back to itself"),
    ),
    "a folder in itself": (
        lambda f: link(f / QUERY / "again", f),
        *("unexpected-folder", "warning", "again"),
    ),
    "not to be read": (
        lambda f: close(last(f / QUERY)),
        *("broken-picture", "error", "may not be read"),
    ),
    "macosx": (macosx, "litter", "note", "__MACOSX"),
    "thumbs": (thumbs, "litter", "note", "Thumbs.db"),
    "one camera": (one_camera, "one-camera", "error", "camera 1"),
    "one camera, no match": (one_camera, "query-same-camera", "error", "4 of 4 queries"),
    "a match by one camera": (
        lambda f: rename_all(f / GALLERY, "0001_c1s1_000005", "0001_c2s1_000006"),
        *("query-same-camera", "warning", "0001_c2s1_000009_00.jpg"),
    ),
    "no match": (
        lambda f: rename_all(f / GALLERY, "0003_c", "0004_c"),
        *("query-without-match", "warning", "2 of 4 queries"),
    ),
    "learned and tested": (
        lambda f: copy(f / TRAIN, f / GALLERY / "0000_c2s1_000077_01.jpg"),
        *("duplicate-train-test", "warning", "0000_c2s1_000077_01.jpg"),
    ),
    "query and gallery": (
        lambda f: copy(f / QUERY, f / GALLERY / "0003_c2s1_000077_01.jpg"),
        *("duplicate-query-gallery", "warning", "0003_c2s1_000077_01.jpg"),
    ),
    "two people": (
        lambda f: copy(f / QUERY, f / QUERY / "0001_c1s1_000077_01.jpg"),
        *("duplicate-people", "warning", "0001_c1s1_000077_01.jpg"),
    ),
    "a shared person": (shared_person, "shared-identities", "error", "1"),
    "no junk": (
        lambda f: remove(f / GALLERY, "-1_*"),
        *("counts-differ", "warning", "published: 7 pictures"),
    ),
}
"""By name: what is done, and the finding's code, severity and words."""


def agrees_with_the_reader(report: Report, name: str, root: Path) -> None:
    """What the reader refuses is not in order; what it reads is what the doctor counted."""
    try:
        dataset = load_dataset(name, root)
    except InputError:
        assert not report.clean
        return
    assert report.fingerprint == dataset.fingerprint
    sizes = {summary.split: summary.images for summary in report.summaries}
    assert sizes.get("train", 0) == len(dataset.train)
    assert sizes["query"] == len(dataset.query)
    assert sizes["gallery"] == len(dataset.gallery)


@pytest.mark.parametrize("name", CASES)
def test_each_fault_is_named(market: Path, name: str) -> None:
    break_it, code, severity, says = CASES[name]
    break_it(market / "market1501")
    report = examine("market1501", market)
    finding = next(finding for finding in report.findings if finding.code == code)
    assert finding.severity == severity
    assert says in " ".join((finding.what, finding.fix, *finding.examples))
    assert report.clean == all(finding.severity != "error" for finding in report.findings)
    assert finding.fix or severity == "note"
    assert json.loads(json.dumps(report.to_dict()))["clean"] == report.clean
    assert printable(finding.what) in report.text()
    agrees_with_the_reader(report, "market1501", market)


@pytest.mark.parametrize("harmless", [lambda _: None, upper_case, thumbs, macosx])
def test_what_is_harmless_is_in_order(market: Path, harmless: Break) -> None:
    harmless(market / "market1501")
    report = examine("market1501", market)
    assert report.clean
    assert all(finding.severity == "note" for finding in report.findings), report.text()
    assert all(summary.as_published for summary in report.summaries)
    agrees_with_the_reader(report, "market1501", market)


def test_junk_and_distractors_are_counted(market: Path) -> None:
    gallery = examine("market1501", market).summaries[2]
    assert (gallery.images, gallery.identities, gallery.cameras) == (7, 2, 2)
    assert (gallery.junk, gallery.distractors) == (1, 2)


def test_the_trees_stand_side_by_side_where_something_is_wrong(market: Path) -> None:
    shutil.rmtree(market / "market1501/query")
    text = examine("market1501", market).text()
    line = next(line for line in text.splitlines() if "bounding_box_train" in line and "├" in line)
    assert line.index("├") == 0
    assert "found" in text
    assert "12 pictures" in text


def test_a_folder_is_recognised_whatever_its_name(market: Path, partial: Path) -> None:
    (market / "market1501").rename(market / "my pictures")
    assert examine(str(market / "my pictures")).name == "market1501"
    report = examine(str(partial / "partial_reid"))
    assert (report.name, report.clean) == ("partial_reid", True)
    assert {finding.code for finding in report.findings} == {"no-camera"}
    (partial / "partial_reid").rename(market / "market1501")
    assert not examine("market1501", market).clean
    assert examine(str(market / "market1501")).name == "partial_reid"


def test_a_root_with_several_datasets_names_them_all(market: Path, partial: Path) -> None:
    assert market == partial
    (finding,) = (f for f in examine(str(market)).findings if f.code == "misplaced")
    assert finding.severity == "note"
    assert f"Market-1501 in {market / 'market1501'}" in finding.what
    assert f"Partial-REID in {market / 'partial_reid'}" in finding.what


def test_duke_in_market_s_folder_is_recognised_as_duke(tmp_path: Path, tree: Tree) -> None:
    names = ["0001_c1_f0000001.jpg", "0002_c2_f0000001.jpg"]
    place = tree(tmp_path / "market1501", dict.fromkeys(PARTS, names))
    assert examine(str(place)).name == "dukemtmc"


def test_an_incomplete_folder_says_what_it_lacks(market: Path) -> None:
    shutil.rmtree(market / "market1501/query")
    report = examine(str(market / "market1501"))
    assert report.findings[0].code == "incomplete"
    assert "lacks query" in report.findings[0].what


def test_a_full_folder_is_drawn_as_a_count(tmp_path: Path) -> None:
    for number in range(1200):
        (tmp_path / f"{number:05}.jpg").touch()
    assert "1,200 pictures, e.g. 00000.jpg" in draw(tmp_path)


def test_the_place_may_have_spaces_and_accents(market: Path) -> None:
    place = market.rename(market.with_name("Meine Bilder – é"))
    assert examine("market1501", place).clean
    assert examine(str(place / "market1501")).clean


def test_a_file_that_may_not_be_read_is_named(
    market: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``unreadable``, also where the tests run as root."""
    shut = last(market / "market1501/query")

    def refusing(way: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Path, *how: Any, **options: Any) -> Any:
            if Path(path) == shut:
                raise PermissionError(errno.EACCES, "Permission denied")
            return way(path, *how, **options)

        return opened

    monkeypatch.setattr(Image, "open", refusing(Image.open))
    monkeypatch.setattr(Path, "open", refusing(Path.open))
    (finding,) = (f for f in examine("market1501", market).findings if f.severity == "error")
    assert (finding.code, finding.examples) == ("broken-picture", (shut.name,))
    assert "may not be read" in finding.what


def test_the_raw_file_of_cuhk03_is_named_with_its_converter(tmp_path: Path) -> None:
    (tmp_path / "cuhk03").mkdir()
    (tmp_path / "cuhk03/cuhk-03.mat").write_bytes(b"x")
    report = examine("cuhk03", tmp_path)
    assert "the raw file itself is not read" in report.findings[0].fix
    assert "deep-person-reid" in report.findings[0].fix
    assert examine(str(tmp_path / "cuhk03")).name == "cuhk03"
    with pytest.raises(InputError, match="the raw file itself is not read"):
        load_dataset("cuhk03", tmp_path)


def test_labeled_pictures_alone_are_not_taken_for_detected(tmp_path: Path, tree: Tree) -> None:
    names = ["0001_c1_1.png", "0001_c2_2.png"]
    tree(tmp_path / "cuhk03/labeled", dict.fromkeys(PARTS, names))
    report = examine("cuhk03", tmp_path)
    assert report.findings[0].code == "missing"
    assert "read it as cuhk03_labeled" in report.findings[0].fix


def test_names_only_reads_no_picture(market: Path) -> None:
    os.truncate(last(market / "market1501" / GALLERY), 0)
    names = examine("market1501", market, decode=False)
    assert names.clean
    assert names.fingerprint == ""
    assert not examine("market1501", market).clean


ROWS = """path,pid,camid,split
a/ü 1.png,anna,1,train
a/ü 2.png,anna,2,train
b/1.png,bob,1,query
b/2.png,bob,2,gallery
"""


def test_a_folder_of_one_s_own(tmp_path: Path) -> None:
    for number, line in enumerate(ROWS.splitlines()[1:]):
        path = tmp_path / line.split(",")[0]
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 16), (number, 0, 0)).save(path)
    (tmp_path / "dataset.csv").write_text(ROWS, encoding="utf-8")
    report = examine(str(tmp_path))
    assert (report.name, report.clean) == ("folder", True)
    agrees_with_the_reader(report, "folder", tmp_path)
    (tmp_path / "dataset.csv").write_text(ROWS.replace("query", "probe"), encoding="utf-8")
    broken = examine(str(tmp_path))
    assert broken.findings[0].code == "unreadable"
    assert "b/1.png" in broken.findings[0].what
    (tmp_path / "dataset.csv").write_text(ROWS.replace("b/2", "b/3"), encoding="utf-8")
    codes = {finding.code for finding in examine("folder", tmp_path).findings}
    assert {"listed-but-missing", "empty-list"} <= codes
