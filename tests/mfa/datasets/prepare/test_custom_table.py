from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfa.datasets import load_dataset
from mfa.datasets.prepare.custom_table import parse_tree, preview_lines
from mfa.datasets.prepare.division import split_by_identity, with_splits
from mfa.datasets.readers.custom import Row, write_table
from mfa.errors import InputError

Tree = Callable[[Path, dict[str, Iterable[str]]], Path]

PEOPLE = {f"{name}/{cam}": ["1.jpg", "2.png"] for name in ("anna", "bob") for cam in ("x", "y z")}


@pytest.mark.parametrize(
    ("pattern", "names", "expected"),
    [
        ("folders", {"anna": ["a.jpg"]}, ("anna", "")),
        ("cameras-in-folders", {"anna/hall": ["a.jpg"]}, ("anna", "hall")),
        ("market", {"deep/er": ["0007_c3s1_000001_00.jpg"]}, ("0007", "3")),
        ("market", {"x": ["0000_c2s1_000001_00.jpg"]}, ("distractor", "2")),
        ("market", {"x": ["-1_c2s1_000001_00.jpg"]}, ("-1", "2")),
        ("prefix", {".": ["anna_1 (2).JPEG"]}, ("anna", "")),
        (r"(?P<split>\w+)/(?P<pid>\d+)-(?P<camid>\d+)\.png", {"Query": ["5-2.png"]}, ("5", "2")),
    ],
)
def test_patterns(
    tmp_path: Path, tree: Tree, pattern: str, names: dict[str, list[str]], expected: tuple[str, str]
) -> None:
    tree(tmp_path, names)
    (row,) = parse_tree(tmp_path, pattern).rows
    assert (row.pid, row.camid) == expected
    assert row.split == ("query" if "split" in pattern else "")


def test_market_s_folders_tell_the_split(tmp_path: Path, tree: Tree) -> None:
    """As MSMT17 is passed on in Market-1501's folders under names of its own."""
    parts = ("bounding_box_train", "query", "bounding_box_test")
    tree(tmp_path, {part: [f"{number:04}_c1_0001.jpg"] for number, part in enumerate(parts)})
    parsed = parse_tree(tmp_path, r"(?P<split>[^/]+)/(?P<pid>\d+)_c(?P<camid>\d+)_.*")
    rows = with_splits(parsed.rows, test=0.5, seed=0)
    assert {row.pid: row.split for row in rows} == {
        "0000": "train", "0001": "query", "0002": "gallery",
    }  # fmt: skip


def test_a_folder_that_may_not_be_listed_is_named(
    tmp_path: Path, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, PEOPLE)
    opened = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "bob":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"bob cannot be listed \(Permission denied\)"):
        parse_tree(tmp_path, "folders")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_a_name_that_is_no_text_is_shown_and_not_written(tmp_path: Path, tree: Tree) -> None:
    odd = os.fsdecode(b"ann\xe9")
    tree(tmp_path, {name: ["1.jpg", "2.jpg"] for name in ("bob", "cia", odd)})
    parsed = parse_tree(tmp_path, "folders")
    assert any(r"ann\udce9/1.jpg" in line for line in preview_lines(parsed.rows, parsed.unfit))
    rows = with_splits(parsed.rows, test=0.5, seed=0)
    with pytest.raises(InputError, match="is not in UTF-8"):
        write_table(tmp_path, rows)
    assert not (tmp_path / "dataset.csv").exists()


def test_litter_and_links_are_not_pictures_and_misfits_are_listed(
    tmp_path: Path, tree: Tree
) -> None:
    tree(tmp_path, PEOPLE)
    tree(tmp_path, {"__MACOSX/anna/x": ["1.jpg"], ".": ["stray.jpg"], "anna/x": ["._1.jpg"]})
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    parsed = parse_tree(tmp_path, "cameras-in-folders")
    assert len(parsed.rows) == 8
    assert parsed.unfit == ("stray.jpg",)
    assert "stray.jpg" in list(preview_lines(parsed.rows, parsed.unfit))[-1]


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(?P<pid>", "neither one of"),
        (r"\d+", "no group"),
        (r"(?P<pid>\d+)\.tiff", "fits none of the 8 pictures"),
    ],
)
def test_wrong_patterns_are_refused(tmp_path: Path, tree: Tree, pattern: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_tree(tree(tmp_path, PEOPLE), pattern)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hold no pictures"):
        parse_tree(tmp_path, "folders")
    with pytest.raises(InputError, match="is not a folder"):
        parse_tree(tmp_path / "x", "folders")


def test_from_names_to_a_dataset(tmp_path: Path, tree: Tree) -> None:
    tree(tmp_path, PEOPLE)
    rows = with_splits(parse_tree(tmp_path, "cameras-in-folders").rows, test=0.5, seed=0)
    write_table(tmp_path, rows)
    dataset = load_dataset("folder", tmp_path)
    assert (len(dataset.train), len(dataset.query), len(dataset.gallery)) == (4, 2, 2)
    assert {s.camid for s in dataset.query} == {1, 2}
    with pytest.raises(InputError, match="exists already"):
        write_table(tmp_path, rows)


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(InputError, match="'probe'"):
        with_splits([Row("a.jpg", "1", "", "probe")], test=0.5, seed=0)


ROWS = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from(["", "1", "2", "3"])), min_size=1, max_size=60
).map(lambda pairs: [Row(f"{i:03}.jpg", str(p), c, "") for i, (p, c) in enumerate(pairs)])


@given(rows=ROWS, test=st.floats(0.1, 0.9), seed=st.integers(0, 5))
def test_every_split_is_by_identity_and_every_query_has_a_match(
    rows: list[Row], test: float, seed: int
) -> None:
    try:
        done = split_by_identity(rows, test=test, seed=seed)
    except InputError:
        return
    assert sorted(row.path for row in done) == sorted(row.path for row in rows)
    sides = defaultdict(set)
    for row in done:
        sides[row.pid].add("train" if row.split == "train" else "test")
    assert all(len(side) == 1 for side in sides.values())
    for query in (row for row in done if row.split == "query"):
        assert any(
            row.split == "gallery"
            and row.pid == query.pid
            and (query.camid == "" or row.camid != query.camid)
            for row in done
        )
    assert split_by_identity(rows[::-1], test=test, seed=seed) == done


def test_another_seed_divides_otherwise() -> None:
    rows = [Row(f"{p}_{i}.jpg", str(p), "", "") for p in range(1, 21) for i in range(3)]
    first, again, other = (split_by_identity(rows, seed=seed) for seed in (0, 0, 1))
    assert first == again != other
    assert sum(row.split == "query" for row in first) == 10


def test_people_who_cannot_be_divided_are_refused() -> None:
    rows = [Row("a.jpg", "1", "", ""), Row("b.jpg", "2", "", "")]
    with pytest.raises(InputError, match="2 people, 0 of them with a second picture") as caught:
        split_by_identity(rows)
    assert "the pattern reads 'a.jpg' as person '1'" in str(caught.value)
    with pytest.raises(InputError, match="0 people"):
        split_by_identity([])


def test_a_negative_seed_would_be_that_of_its_opposite(tmp_path: Path) -> None:
    rows = [Row(f"{p}_{i}.jpg", str(p), "", "") for p in range(1, 9) for i in range(2)]
    with pytest.raises(InputError, match="0 or more, got -1"):
        split_by_identity(rows, seed=-1)


def test_the_preview_counts_people_alone_and_keeps_its_columns() -> None:
    rows = [
        Row("a/1.jpg", "a person of a long name", "1", "gallery"),
        Row("a/2.jpg", "-1", "12", "gallery"),
        Row("a/3.jpg", "distractor", "1", "gallery"),
    ]
    head, *table, _, _, gallery = preview_lines(rows, ())
    assert gallery == "gallery: 3 pictures, 1 person, 2 cameras, 1 distractors, 1 junk"
    assert {line.index("gallery") for line in table} == {head.index("split")}
