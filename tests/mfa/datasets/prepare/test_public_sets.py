"""Public sets that have no reader, by their published trees: their own lists are kept.

Each command is the one that docs/data.md gives for the set.
"""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mfa.cli import COMMANDS, run
from mfa.datasets import load_dataset

Tree = Callable[[Path, dict[str, Iterable[str]]], Path]

DOCS = Path(__file__).resolve().parents[4] / "docs/data.md"


@dataclass(frozen=True)
class Set:
    """A small tree with files that are no pictures, and (pid, camid, split) of every row."""

    name: str
    tree: dict[str, list[str]]
    rows: set[tuple[str, str, str]]
    files: dict[str, str] = field(default_factory=dict)


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
            f"{kind}/cam_{c}": [f"person_{p:04}.png" for p in (1, 2, 201)]
            for kind in ("single_shot", "multi_shot") for c in "ab"
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
        "Occluded-DukeMTMC",
        {
            "bounding_box_train": ["0001_c2_f0046182.jpg"],
            "query": ["0005_c2_f0046985.jpg"],
            "bounding_box_test": ["0005_c5_f0051341.jpg"],
        },
        {("0001", "2", "train"), ("0005", "2", "query"), ("0005", "5", "gallery")},
    ),
    Set(
        "LTCC",
        {
            "train": ["001_1_c9_015833.png"],
            "query": ["094_1_c9_015833.png"],
            "test": ["094_2_c11_000131.png"],
            "info": [],
        },
        {("001", "9", "train"), ("094", "9", "query"), ("094", "11", "gallery")},
        files={"info/cloth-change_id_test.txt": "94"},
    ),
    Set(
        "VC-Clothes",
        {
            "train": ["0001-01-01-01.jpg"],
            "query": ["0002-03-01-01.jpg"],
            "gallery": ["0002-04-02-06.jpg"],
        },
        {("0001", "01", "train"), ("0002", "03", "query"), ("0002", "04", "gallery")},
    ),
    Set(
        "PRCC",
        {
            "rgb/train/001": ["A_cropped_rgb001.jpg"],
            "rgb/val/001": ["C_cropped_rgb002.jpg"],
            **{f"rgb/test/{camera}/014": ["cropped_rgb001.jpg"] for camera in "ABC"},
        },
        {("001", "", "train"), ("014", "", "query"), ("014", "", "gallery")},
    ),
    Set(
        "SenseReID",
        {
            "SenseReID/test_probe": ["00007_0.jpg"],
            "SenseReID/test_gallery": ["00007_1.jpg", "00008_1.jpg"],
        },
        {("00007", "0", "query"), ("00007", "1", "gallery"), ("00008", "1", "gallery")},
    ),
    Set(
        "CUHK02",
        {
            f"Dataset/{pair}/cam{camera}": ["001_1.png"]
            for pair in ("P1", "P2", "P5")
            for camera in (1, 2)
        },
        {
            ("P1/001", "1", "train"), ("P1/001", "2", "train"), ("P2/001", "1", "train"),
            ("P2/001", "2", "train"), ("P5/001", "1", "query"), ("P5/001", "2", "gallery"),
        },
    ),
    Set(
        "SYSU-MM01",
        {f"cam{c}/{p:04}": ["0001.jpg"] for c in range(1, 7) for p in (6, 26)} | {"exp": []},
        {("0006", c, "query") for c in ("room2", "6")}
        | {("0006", c, "gallery") for c in ("1", "room2", "4", "5")}
        | {("0026", c, "train") for c in ("1", "room2", "4", "5", "6")},
        files={"exp/train_id.txt": "26", "exp/test_id.txt": "6,10,17"},
    ),
    Set(
        "VIPeR",
        {f"VIPeR/cam_{c}": ["001_45.bmp", "002_0.bmp"] for c in "ab"},
        {("001", "a", "train"), ("001", "b", "train"), ("002", "a", "query"),
         ("002", "b", "gallery")},
    ),
    Set(
        "QMUL i-LIDS",
        {"i-LIDS_Pedestrian/Persons": [f"{p:04}{i:03}.jpg" for p in (1, 2) for i in (1, 2)]},
        {("0001", "", "train"), ("0002", "", "query"), ("0002", "", "gallery")},
    ),
    Set(
        "i-LIDS-VID",
        {
            f"i-LIDS-VID/{kind}/cam{c}/person{p:03}": [f"cam{c}_person{p:03}_00001.png"]
            for kind in ("images", "sequences") for c in (1, 2) for p in (1, 2)
        } | {"train-test people splits": []},
        {("001", "1", "train"), ("001", "2", "train"), ("002", "1", "query"),
         ("002", "2", "gallery")},
        files={"train-test people splits/train_test_splits_ilidsvid.mat": ""},
    ),
    Set(
        "RegDB",
        {f"{camera}/{p}": [f"male_front_v_0334{p}_{p}.bmp"]
         for camera in ("Thermal", "Visible") for p in (1, 2)} | {"idx": []},
        {("1", "Thermal", "train"), ("1", "Visible", "train"), ("2", "Thermal", "query"),
         ("2", "Visible", "gallery")},
        files={"idx/train_visible_1.txt": "Visible/1/male_front_v_03341_1.bmp 0"},
    ),
    Set(
        "RandPerson",
        {"randperson_subset": ["000000_c00_s00_f000264.jpg", "000001_c01_s00_f001632.jpg"]},
        {("000000", "00", "train"), ("000001", "01", "train")},
    ),
    Set(
        "wildlife-datasets",
        {"images": ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]},
        {("lena", "", "query"), ("lena", "", "gallery"), ("hugo", "", "train"),
         ("junk", "", "gallery")},
        files={
            "metadata.csv": "identity,path,date\nhugo,images/a.jpg,1\nhugo,images/b.jpg,2\n"
            "lena,images/c.jpg,1\nlena,images/d.jpg,2\nunknown,images/e.jpg,3\n"
        },
    ),
]  # fmt: skip


def command(row: str) -> list[str]:
    """The words after ``mfa data folder DIR`` in a row of docs/data.md."""
    found = re.search(r"`mfa data folder DIR ([^`]+)`", row.replace(r"\|", "|"))
    assert found is not None, row
    return shlex.split(found[1])


def documented() -> dict[str, str]:
    """The rows of the table by the set's name."""
    page = DOCS.read_text("utf-8").partition("## Twenty public sets")[2].partition("\n## ")[0]
    rows = [line for line in page.splitlines() if "`mfa data folder DIR " in line]
    return {re.split("[|,]", row)[1].strip(): row for row in rows if row.startswith("|")}


def test_every_set_of_the_table_is_tried() -> None:
    assert sorted(documented()) == sorted(known.name for known in SETS)
    assert len(SETS) == 20


@pytest.mark.parametrize("known", SETS, ids=lambda known: known.name)
def test_the_documented_command_keeps_the_lists(tmp_path: Path, tree: Tree, known: Set) -> None:
    tree(tmp_path, known.tree)
    for name, text in known.files.items():
        (tmp_path / name).write_text(text)
    words = ["data", "folder", str(tmp_path), *command(documented()[known.name])]
    assert run("mfa", COMMANDS, [*words, "--preview"]) == 0
    assert not (tmp_path / "dataset.csv").exists()
    assert run("mfa", COMMANDS, words) == 0
    with (tmp_path / "dataset.csv").open() as stream:
        rows = {(row["pid"], row["camid"], row["split"]) for row in csv.DictReader(stream)}
    assert rows == known.rows
    data = load_dataset("folder", tmp_path)
    assert data.gallery or all(split == "train" for _, _, split in rows)


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


def test_lists_that_are_not_read_are_not_replaced(
    tmp_path: Path, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    """SYSU-MM01 names its people in ``exp``; divided anew, those of its test would be learned."""
    people = {f"cam{c}/{p:04}": ["0001.jpg", "0002.jpg"] for c in (1, 2) for p in (1, 2, 3)}
    tree(tmp_path, {**people, "exp": []})
    (tmp_path / "exp/test_id.txt").write_text("3\n")
    pattern = r"cam(?P<camid>\d)/(?P<pid>\d{4})/.*"
    words = ["data", "folder", str(tmp_path), "--preview", "--pattern", pattern]
    assert run("mfa", COMMANDS, words) == 2
    assert "exp/test_id.txt may say which list" in capsys.readouterr().err
    assert run("mfa", COMMANDS, [*words, "--split", ".=divide"]) == 0
    assert run("mfa", COMMANDS, [*words, "--test-ids", "exp/test_id.txt"]) == 0
    assert "train: 8 pictures, 2 people" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "says"),
    [(b" \n", "names nobody"), (b"9", "none of the people"), (b"\xff", "is not text in UTF-8")],
)
def test_a_wrong_list_of_people_to_test_on_is_refused(
    tmp_path: Path, tree: Tree, capsys: pytest.CaptureFixture[str], content: bytes, says: str
) -> None:
    tree(tmp_path, {"1": ["a.jpg", "b.jpg"]})
    (tmp_path / "ids.txt").write_bytes(content)
    words = ["data", "folder", str(tmp_path), "--pattern", "folders", "--test-ids", "ids.txt"]
    assert run("mfa", COMMANDS, words) == 2
    assert says in capsys.readouterr().err


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
    (tmp_path / "dataset.csv").write_text(undivided.replace(",b", ",c"))
    assert run("mfa", COMMANDS, ["data", "folder", str(tmp_path), "--table", "dataset.csv"]) == 2
    assert "dataset-undivided.csv exists already" in capsys.readouterr().err
    assert (tmp_path / "dataset-undivided.csv").read_text() == undivided


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
def test_wrong_options_are_refused(
    tmp_path: Path, tree: Tree, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    tree(tmp_path, {"a": ["1.jpg"]})
    assert run("mfa", COMMANDS, ["data", "folder", str(tmp_path), *words]) == 2
    assert says in capsys.readouterr().err
