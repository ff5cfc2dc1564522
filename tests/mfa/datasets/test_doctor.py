"""The doctor on broken variants: each is named, none crashes, and the reader agrees."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from mfa.datasets import load_dataset
from mfa.datasets.doctor import Report, examine
from mfa.datasets.doctor.report import draw
from mfa.datasets.readers.listing import printable
from mfa.errors import InputError

COLOURS = itertools.count(1)


def write_tree(root: Path, tree: dict[str, list[str]]) -> Path:
    """Small pictures of the given names in the given folders, no two alike."""
    for folder, names in tree.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            number = next(COLOURS)
            Image.new("RGB", (8, 16), (number % 256, number // 256, 9)).save(root / folder / name)
    return root


def market_part(root: Path, part: str) -> Path:
    return root / "market1501" / part


def first(folder: Path) -> Path:
    return sorted(folder.iterdir())[-1]


def missing_root(root: Path) -> None:
    shutil.rmtree(root)


def empty_root(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()


def empty_dataset(root: Path) -> None:
    empty_root(root)
    (root / "market1501").mkdir()


def moved(root: Path) -> None:
    (root / "market1501").rename(root / "my pictures")


def too_deep(root: Path) -> None:
    (root / "market1501").rename(root / "x")
    (root / "market1501").mkdir()
    (root / "x").rename(root / "market1501/unpacked")


def without_query(root: Path) -> None:
    shutil.rmtree(market_part(root, "query"))


def query_is_a_file(root: Path) -> None:
    without_query(root)
    market_part(root, "query").write_text("x")


def query_is_a_loop(root: Path) -> None:
    without_query(root)
    market_part(root, "query").symlink_to("query")


def other_case(root: Path) -> None:
    for part in ("bounding_box_train", "query", "bounding_box_test"):
        market_part(root, part).rename(market_part(root, part.upper()))


def a_pipe(root: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no pipes in folders")
    os.mkfifo(market_part(root, "query") / "0001_c1s1_000099_00.jpg")


def no_text_in_a_name(root: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("other systems take no such names")
    name = os.fsdecode(b"0001_c1s1_\xff.jpg")
    shutil.copy(first(market_part(root, "query")), market_part(root, "query") / name)


def empty_query(root: Path) -> None:
    for path in market_part(root, "query").iterdir():
        path.unlink()


def half_copied(root: Path) -> None:
    for path in sorted(market_part(root, "bounding_box_train").iterdir())[:6]:
        path.unlink()


def rename_all(folder: Path, name: Callable[[Path], str]) -> None:
    for path in sorted(folder.iterdir()):
        target = folder / name(path)
        target.parent.mkdir(exist_ok=True)
        path.rename(target)


def duke_names(root: Path) -> None:
    query = market_part(root, "query")
    rename_all(query, lambda p: f"{p.name[:4]}_c{p.name[6]}_f0046182.jpg")


def ids_as_folders(root: Path) -> None:
    rename_all(market_part(root, "query"), lambda p: f"{p.name[:4]}/{p.name}")


def one_strange_name(root: Path) -> None:
    shutil.copy(first(market_part(root, "query")), market_part(root, "query") / "0001 (copy).jpg")


def truncated(root: Path) -> None:
    path = first(market_part(root, "query"))
    path.write_bytes(path.read_bytes()[:-150])


def zero_bytes(root: Path) -> None:
    first(market_part(root, "bounding_box_test")).write_bytes(b"")


def text_inside(root: Path) -> None:
    first(market_part(root, "bounding_box_train")).write_text("<html>not found</html>")


def dangling_link(root: Path) -> None:
    path = first(market_part(root, "query"))
    path.unlink()
    path.symlink_to(root / "gone.jpg")


def file_loop(root: Path) -> None:
    path = first(market_part(root, "query"))
    path.unlink()
    path.symlink_to(path.name)


def folder_loop(root: Path) -> None:
    (market_part(root, "query") / "again").symlink_to(root, target_is_directory=True)


def unreadable(root: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads files whatever their permissions")
    first(market_part(root, "query")).chmod(0)


def macosx(root: Path) -> None:
    (root / "market1501/__MACOSX/query").mkdir(parents=True)
    (root / "market1501/__MACOSX/query/._0001_c1s1_000009_00.jpg").write_bytes(b"x")
    (market_part(root, "query") / "._0001_c1s1_000009_00.jpg").write_bytes(b"x")


def thumbs(root: Path) -> None:
    (market_part(root, "query") / "Thumbs.db").write_bytes(b"x")
    (root / "market1501/.DS_Store").write_bytes(b"x")


def upper_case(root: Path) -> None:
    rename_all(market_part(root, "query"), lambda p: p.name.replace(".jpg", ".JPG"))


def one_camera(root: Path) -> None:
    for part in ("query", "bounding_box_test"):
        rename_all(
            market_part(root, part),
            lambda p: p.name.replace("_c1s1_", "_c1s2_").replace("_c2s1_", "_c1s1_"),
        )


def same_camera_query(root: Path) -> None:
    (market_part(root, "bounding_box_test") / "0001_c1s1_000005_01.jpg").rename(
        market_part(root, "bounding_box_test") / "0001_c2s1_000006_01.jpg"
    )


def query_without_match(root: Path) -> None:
    rename_all(market_part(root, "bounding_box_test"), lambda p: p.name.replace("0003_c", "0004_c"))


def copy_into(root: Path, source: str, target: str, name: str) -> None:
    path = market_part(root, target) / name
    shutil.copy(first(market_part(root, source)), path)


def train_in_test(root: Path) -> None:
    copy_into(root, "bounding_box_train", "bounding_box_test", "0000_c2s1_000077_01.jpg")


def query_in_gallery(root: Path) -> None:
    copy_into(root, "query", "bounding_box_test", "0003_c2s1_000077_01.jpg")


def two_people_one_picture(root: Path) -> None:
    copy_into(root, "query", "query", "0001_c1s1_000077_01.jpg")


def shared_person(root: Path) -> None:
    name = "0001_c1s1_000077_01.jpg"
    (market_part(root, "bounding_box_train") / name).write_bytes(
        first(market_part(root, "query")).read_bytes() + b"different"
    )


def no_junk(root: Path) -> None:
    for path in market_part(root, "bounding_box_test").glob("-1_*"):
        path.unlink()


def renamed_part(root: Path) -> None:
    market_part(root, "bounding_box_train").rename(market_part(root, "train"))


def another_dataset(root: Path) -> None:
    shutil.rmtree(root / "market1501")
    folders = ("occluded_body_images", "partial_body_images", "whole_body_images")
    names = ["001_001.jpg", "002_001.jpg"]
    write_tree(root / "market1501", dict.fromkeys(folders, names))


def spaces_and_accents(root: Path) -> None:
    path = first(market_part(root, "query"))
    shutil.copy(path, path.with_name("0003_c2s1 é ñ.jpg"))


def packed(root: Path) -> None:
    with zipfile.ZipFile(root / "Market.zip", "w") as archive:
        for path in sorted((root / "market1501").rglob("*.jpg")):
            archive.write(path, path.relative_to(root))
    shutil.rmtree(root / "market1501")


def tar_archive(root: Path) -> None:
    with tarfile.open(root / "Market.tar.gz", "w:gz") as archive:
        archive.add(root / "market1501", "market1501")
    shutil.rmtree(root / "market1501")


def unlistable(root: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root lists folders whatever their permissions")
    market_part(root, "query").chmod(0)


def nothing_broken(root: Path) -> None:
    """The tree as it is."""


@dataclass(frozen=True)
class Case:
    break_it: Callable[[Path], None]
    code: str
    severity: str
    says: str = ""


CASES = [
    Case(missing_root, "missing", "error", "is no folder"),
    Case(empty_root, "missing", "error", "found nothing"),
    Case(empty_dataset, "missing", "error", "found nothing"),
    Case(moved, "missing", "error", "found my pictures/"),
    Case(too_deep, "missing", "error", "found unpacked/"),
    Case(without_query, "missing", "error", "lacks query"),
    Case(query_is_a_file, "missing", "error", "query (there is a file of that name)"),
    Case(query_is_a_loop, "missing", "error", "query (there is a broken link of that name)"),
    Case(other_case, "missing", "error", "lacks bounding_box_train"),
    Case(a_pipe, "broken-picture", "error", "0 bytes"),
    Case(no_text_in_a_name, "strange-name", "warning", "0001_c1s1_"),
    Case(renamed_part, "missing", "error", "lacks bounding_box_train"),
    Case(another_dataset, "missing", "error", "read it as partial_reid"),
    Case(spaces_and_accents, "strange-name", "warning", "0003_c2s1 é ñ.jpg"),
    Case(tar_archive, "packed", "error", "Market.tar.gz"),
    Case(packed, "packed", "error", "mfa data prepare market1501 --archive"),
    Case(unlistable, "unreadable", "error", "cannot be listed"),
    Case(empty_query, "empty-list", "error", "no query pictures"),
    Case(half_copied, "half-copied", "error", "6 of the published 12"),
    Case(duke_names, "empty-list", "error", "the name is not like"),
    Case(ids_as_folders, "empty-list", "error", "a folder, which"),
    Case(ids_as_folders, "unexpected-folder", "warning", "0001"),
    Case(one_strange_name, "strange-name", "warning", "0001 (copy).jpg"),
    Case(truncated, "broken-picture", "error", "truncated"),
    Case(zero_bytes, "broken-picture", "error", "0 bytes"),
    Case(text_inside, "broken-picture", "error", "a web page"),
    Case(dangling_link, "broken-picture", "error", "does not exist"),
    Case(file_loop, "broken-picture", "error", "leads back to itself"),
    Case(folder_loop, "unexpected-folder", "warning", "again"),
    Case(unreadable, "broken-picture", "error", "may not be read"),
    Case(macosx, "litter", "note", "__MACOSX"),
    Case(thumbs, "litter", "note", "Thumbs.db"),
    Case(one_camera, "one-camera", "error", "camera 1"),
    Case(one_camera, "query-same-camera", "error", "4 of 4 queries"),
    Case(same_camera_query, "query-same-camera", "warning", "0001_c2s1_000009_00.jpg"),
    Case(query_without_match, "query-without-match", "warning", "2 of 4 queries"),
    Case(train_in_test, "duplicate-train-test", "warning", "0000_c2s1_000077_01.jpg"),
    Case(query_in_gallery, "duplicate-query-gallery", "warning", "0003_c2s1_000077_01.jpg"),
    Case(two_people_one_picture, "duplicate-people", "warning", "0001_c1s1_000077_01.jpg"),
    Case(shared_person, "shared-identities", "error", "1"),
    Case(no_junk, "counts-differ", "warning", "published: 7 pictures"),
]


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


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.break_it.__name__}-{c.code}")
def test_each_fault_is_named(market: Path, case: Case) -> None:
    case.break_it(market)
    report = examine("market1501", market)
    findings = [finding for finding in report.findings if finding.code == case.code]
    assert findings, report.text()
    assert findings[0].severity == case.severity
    said = " ".join((findings[0].what, findings[0].fix, *findings[0].examples))
    assert case.says in said
    assert report.clean == all(finding.severity != "error" for finding in report.findings)
    if case.severity != "note":
        assert findings[0].fix
    json.dumps(report.to_dict())
    assert case.code == "litter" or printable(findings[0].what) in report.text()
    agrees_with_the_reader(report, "market1501", market)


@pytest.mark.parametrize("harmless", [nothing_broken, upper_case, thumbs, macosx])
def test_what_is_harmless_is_in_order(market: Path, harmless: Callable[[Path], None]) -> None:
    harmless(market)
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
    without_query(market)
    text = examine("market1501", market).text()
    line = next(line for line in text.splitlines() if "bounding_box_train" in line and "├" in line)
    assert line.index("├") == 0
    assert "found" in text
    assert "12 pictures" in text


def test_a_folder_is_recognised_whatever_its_name(market: Path, partial: Path) -> None:
    moved(market)
    assert examine(str(market / "my pictures")).name == "market1501"
    report = examine(str(partial / "partial_reid"))
    assert (report.name, report.clean) == ("partial_reid", True)
    assert {finding.code for finding in report.findings} == {"no-camera"}
    (partial / "partial_reid").rename(market / "market1501")
    assert not examine("market1501", market).clean
    assert examine(str(market / "market1501")).name == "partial_reid"


def test_a_root_with_several_datasets_names_them_all(market: Path) -> None:
    folders = ("occluded_body_images", "partial_body_images", "whole_body_images")
    write_tree(market / "partial_reid", {folder: ["001_001.jpg"] for folder in folders})
    (finding,) = (f for f in examine(str(market)).findings if f.code == "misplaced")
    assert finding.severity == "note"
    assert f"Market-1501 in {market / 'market1501'}" in finding.what
    assert f"Partial-REID in {market / 'partial_reid'}" in finding.what


def test_duke_in_market_s_folder_is_recognised_as_duke(market: Path) -> None:
    for part in ("query", "bounding_box_train", "bounding_box_test"):
        folder = market_part(market, part)
        for path in folder.glob("-1_*"):
            path.unlink()
        for number, path in enumerate(sorted(folder.iterdir())):
            path.rename(folder / f"{number + 1:04}_c{path.name[6]}_f{number:07}.jpg")
    assert examine(str(market / "market1501")).name == "dukemtmc"


def test_an_incomplete_folder_says_what_it_lacks(market: Path) -> None:
    without_query(market)
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
    shut, opened = first(market_part(market, "query")), Image.open

    def refuse(path: Path) -> Image.Image:
        if Path(path) == shut:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path)

    monkeypatch.setattr(Image, "open", refuse)
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


def test_labeled_pictures_alone_are_not_taken_for_detected(tmp_path: Path) -> None:
    parts = [
        f"cuhk03/labeled/{part}" for part in ("bounding_box_train", "query", "bounding_box_test")
    ]
    write_tree(tmp_path, {part: ["0001_c1_1.png", "0001_c2_2.png"] for part in parts})
    report = examine("cuhk03", tmp_path)
    assert report.findings[0].code == "missing"
    assert "read it as cuhk03_labeled" in report.findings[0].fix


def test_names_only_reads_no_picture(market: Path) -> None:
    zero_bytes(market)
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
    from PIL import Image

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
