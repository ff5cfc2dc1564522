"""Public sets that have no reader, by their published trees: their own lists are kept.

Each command is the one that docs/data.md gives for the set.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mfa.cli import COMMANDS, run
from mfa.datasets import load_dataset

Tree = Callable[[Path, dict[str, Iterable[str]]], Path]

DOCS = Path(__file__).resolve().parents[4] / "docs/data.md"


@dataclass(frozen=True)
class Set:
    """A small tree, and (pid, camid, split) of every picture that should come out."""

    name: str
    tree: dict[str, list[str]]
    rows: set[tuple[str, str, str]]
    table: str = ""


SETS = [
    Set(
        "VeRi-776",
        {
            "image_train": ["0001_c001_00016450_0.jpg", "0003_c004_00016450_0.jpg"],
            "image_query": ["0002_c002_00030600_0.jpg"],
            "image_test": ["0002_c002_00030605_0.jpg", "0002_c003_00030600_0.jpg"],
        },
        {
            ("0001", "001", "train"), ("0003", "004", "train"), ("0002", "002", "query"),
            ("0002", "002", "gallery"), ("0002", "003", "gallery"),
        },
    ),
    Set(
        "MARS",
        {
            "bbox_train/0001": ["0001C1T0001F001.jpg", "0001C2T0001F001.jpg"],
            "bbox_test/0002": ["0002C1T0001F001.jpg", "0002C1T0001F002.jpg", "0002C2T0001F001.jpg"],
            "bbox_test/0000": ["0000C1T0001F001.jpg"],
            "bbox_test/00-1": ["00-1C1T0001F001.jpg"],
        },
        {
            ("0001", "1", "train"), ("0001", "2", "train"), ("0002", "1", "query"),
            ("0002", "1", "gallery"), ("0002", "2", "gallery"), ("distractor", "1", "gallery"),
            ("-1", "1", "gallery"),
        },
    ),
    Set(
        "DukeMTMC-VideoReID",
        {
            "train/0001/0001": ["0001_C5_F0001_X207_Y308.jpg"],
            "query/0005/0001": ["0005_C2_F0001_X207_Y308.jpg"],
            "gallery/0005/0002": ["0005_C7_F0001_X207_Y308.jpg"],
        },
        {("0001", "5", "train"), ("0005", "2", "query"), ("0005", "7", "gallery")},
    ),
    Set(
        "P-DukeMTMC-reID",
        {
            "train/occluded_body_images/0001": ["0001_c2_f0046182.jpg"],
            "train/whole_body_images/0001": ["0001_c2_f0046302.jpg"],
            "test/occluded_body_images/0005": ["0005_c2_f0046985.jpg"],
            "test/whole_body_images/0005": ["0005_c5_f0046985.jpg"],
        },
        {("0001", "2", "train"), ("0005", "2", "query"), ("0005", "5", "gallery")},
    ),
    Set(
        "GRID",
        {
            "probe": ["0001_1_25004_107_32_106_221.jpeg"],
            "gallery": ["0001_2_25023_116_6_91_221.jpeg", "0000_5_25031_9_6_91_221.jpeg"],
        },
        {("0001", "1", "query"), ("0001", "2", "gallery"), ("distractor", "5", "gallery")},
    ),
    Set(
        "PRID 2011",
        {
            "single_shot/cam_a": ["person_0001.png", "person_0002.png"],
            "single_shot/cam_b": ["person_0001.png", "person_0002.png"],
        },
        {
            ("0002", "a", "query"), ("0002", "b", "gallery"),
            ("0001", "a", "train"), ("0001", "b", "train"),
        },
    ),
    Set(
        "CUHK01",
        {"campus": [f"{pid:04}{shot:03}.png" for pid in (1, 2) for shot in (1, 2, 3, 4)]},
        {
            ("0002", "A", "query"), ("0002", "A", "gallery"), ("0002", "B", "query"),
            ("0002", "B", "gallery"), ("0001", "A", "train"), ("0001", "B", "train"),
        },
    ),
    Set(
        "wildlife-datasets",
        {"images": ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]},
        {("lena", "", "query"), ("lena", "", "gallery"), ("hugo", "", "train"),
         ("junk", "", "gallery")},
        "identity,path,date\nhugo,images/a.jpg,1\nhugo,images/b.jpg,2\nlena,images/c.jpg,1\n"
        "lena,images/d.jpg,2\nunknown,images/e.jpg,3\n",
    ),
]  # fmt: skip


def command(name: str) -> list[str]:
    """The words after ``mfa data folder DIR`` of a set's row in docs/data.md."""
    row = next(
        line for line in DOCS.read_text("utf-8").splitlines() if line.startswith(f"| {name}")
    )
    found = re.search(r"`mfa data folder DIR ([^`]+)`", row.replace(r"\|", "|"))
    assert found is not None, row
    return [word.strip("'") for word in found[1].split()]


@pytest.mark.parametrize("known", SETS, ids=lambda known: known.name)
def test_the_documented_command_keeps_the_lists(tmp_path: Path, tree: Tree, known: Set) -> None:
    tree(tmp_path, known.tree)
    if known.table:
        (tmp_path / "metadata.csv").write_text(known.table)
    words = ["data", "folder", str(tmp_path), *command(known.name)]
    assert run("mfa", COMMANDS, [*words, "--preview"]) == 0
    assert not (tmp_path / "dataset.csv").exists()
    assert run("mfa", COMMANDS, words) == 0
    with (tmp_path / "dataset.csv").open() as stream:
        rows = {(row["pid"], row["camid"], row["split"]) for row in csv.DictReader(stream)}
    assert rows == known.rows
    assert load_dataset("folder", tmp_path).gallery


def test_folders_of_which_some_are_lists_are_refused(
    tmp_path: Path, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    """Divided silently, people of the published test list would be trained on."""
    tree(tmp_path, {"query": ["1_c1.jpg"], "odd": ["1_c2.jpg", "2_c1.jpg"]})
    words = ["data", "folder", str(tmp_path), "--pattern", "market"]
    assert run("mfa", COMMANDS, words) == 2
    assert "--split odd=train" in capsys.readouterr().err
    assert run("mfa", COMMANDS, [*words, "--split", "odd=gallery", "--preview"]) == 0
    assert "gallery: 2 pictures" in capsys.readouterr().out


def test_a_list_file_that_is_not_read_is_named(
    tmp_path: Path, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    """SYSU-MM01 divides its people in ``exp``."""
    people = {f"cam{c}/{p:04}": ["0001.jpg", "0002.jpg"] for c in (1, 2) for p in (1, 2, 3)}
    tree(tmp_path, {**people, "exp": []})
    (tmp_path / "exp/train_id.txt").write_text("1,2")
    words = ["data", "folder", str(tmp_path), *command("SYSU-MM01"), "--preview"]
    assert run("mfa", COMMANDS, words) == 0
    assert "exp/train_id.txt may say" in capsys.readouterr().out


def test_the_preview_names_what_may_be_nobody(
    tmp_path: Path, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    tree(tmp_path, {name: ["1.jpg", "2.jpg"] for name in ("0000", "0001", "0002", "unknown")})
    words = ["data", "folder", str(tmp_path), "--pattern", "folders", "--preview"]
    assert run("mfa", COMMANDS, words) == 0
    said = capsys.readouterr().out
    assert "--distractors 0000" in said
    assert "2 pictures of 'unknown' are read as junk" in said
    assert run("mfa", COMMANDS, [*words, "--distractors", "0000"]) == 0
    assert "2 distractors, 2 junk" in capsys.readouterr().out


def test_a_table_of_one_s_own_is_divided_in_place(
    tmp_path: Path, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    tree(tmp_path, {"a": ["1.jpg", "2.jpg"], "b": ["1.jpg", "2.jpg"]})
    undivided = "path,pid\na/1.jpg,a\na/2.jpg,a\nb/1.jpg,b\nb/2.jpg,b\n"
    (tmp_path / "dataset.csv").write_text(undivided)
    assert run("mfa", COMMANDS, ["data", "folder", str(tmp_path), "--table", "dataset.csv"]) == 0
    assert (tmp_path / "dataset-undivided.csv").read_text() == undivided
    assert len(load_dataset("folder", tmp_path).train) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--split", "a=b", "--pattern", "folders"], "a no known meaning"),
        (["--cameras", "1", "--pattern", "folders"], "assigns nothing"),
        (["--cameras", "1=A", "1=B", "--pattern", "folders"], "two meanings"),
        ([], "either --pattern or --table"),
        (["--table", "missing.csv"], "cannot be read"),
    ],
)
def test_wrong_options_are_told(
    tmp_path: Path, tree: Tree, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    tree(tmp_path, {"a": ["1.jpg"]})
    assert run("mfa", COMMANDS, ["data", "folder", str(tmp_path), *words]) == 2
    assert says in capsys.readouterr().err
