"""The readers whose data cannot be had, on trees in the published layout, traps included."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mfa.datasets import load_dataset
from mfa.errors import InputError

Tree = Callable[[Path, dict[str, Iterable[str]]], Path]


def labels(samples: object) -> list[tuple[int, int]]:
    return [(s.pid, s.camid) for s in samples]  # type: ignore[attr-defined]


def test_dukemtmc(tmp_path: Path, tree: Tree) -> None:
    tree(
        tmp_path / "DukeMTMC-reID",
        {
            "bounding_box_train": ["0001_c2_f0046182.jpg", "0001_c8_f0046302.jpg"],
            "query": ["0005_c2_f0046985.jpg"],
            "bounding_box_test": ["0005_c5_f0051341.jpg", "7139_c2_f0163380.jpg"],
        },
    )
    dataset = load_dataset("dukemtmc", tmp_path)
    assert labels(dataset.train) == [(1, 2), (1, 8)]
    assert labels(dataset.query) == [(5, 2)]
    assert labels(dataset.gallery) == [(5, 5), (7139, 2)]
    with pytest.raises(InputError, match="read it as dukemtmc"):
        load_dataset("market1501", tmp_path / "DukeMTMC-reID")


NP = {
    "bounding_box_train": ["0003_c1_21.png", "0003_c2_26.png"],
    "query": ["0001_c1_1.png", "0001_c2_6.png"],
    "bounding_box_test": ["0001_c1_2.png", "0001_c2_7.png"],
}


def test_cuhk03_np_keeps_labeled_and_detected_apart(tmp_path: Path, tree: Tree) -> None:
    for setting in ("labeled", "detected"):
        tree(tmp_path / "cuhk03-np" / setting, NP)
    (tmp_path / "cuhk03-np/labeled/query/0001_c2_6.png").unlink()
    assert labels(load_dataset("cuhk03_labeled", tmp_path).query) == [(1, 1)]
    detected = load_dataset("cuhk03_detected", tmp_path)
    assert labels(detected.query) == [(1, 1), (1, 2)]
    plain = load_dataset("cuhk03", tmp_path)
    assert plain.fingerprint == detected.fingerprint
    assert "the detected pictures" in plain.notes


def extracted(root: Path, tree: Tree) -> Path:
    """What deep-person-reid writes: paths of another machine, training labels from 0."""
    names = ["1_001_1_01.png", "1_001_2_06.png", "5_058_1_01.png", "5_058_2_07.png"]
    tree(root / "cuhk03", {"images_detected": names})
    elsewhere = "/home/someone/data/cuhk03/images_detected/"
    split = {
        "train": [[elsewhere + names[0], 0, 0], [elsewhere + names[1], 0, 1]],
        "query": [[elsewhere + names[2], 1467, 0]],
        "gallery": [[elsewhere + names[3], 1467, 1]],
    }
    (root / "cuhk03/splits_new_detected.json").write_text(json.dumps([split]))
    return root


def test_cuhk03_from_split_files(tmp_path: Path, tree: Tree) -> None:
    dataset = load_dataset("cuhk03_detected", extracted(tmp_path, tree))
    assert labels(dataset.train) == [(1, 1), (1, 2)]
    assert labels(dataset.query) == [(1467, 1)]
    assert labels(dataset.gallery) == [(1467, 2)]


def test_cuhk03_split_file_of_something_else_is_named(tmp_path: Path, tree: Tree) -> None:
    root = extracted(tmp_path, tree)
    (root / "cuhk03/splits_new_detected.json").write_text('{"a": 1}')
    with pytest.raises(InputError, match=r"splits_new_detected\.json is not a split file"):
        load_dataset("cuhk03", root)


def msmt(root: Path, tree: Tree, version: str = "V1") -> Path:
    train, test = {"V1": ("train", "test"), "V2": ("mask_train_v2", "mask_test_v2")}[version]
    place = root / f"MSMT17_{version}"
    training = [f"0000_{i:03}_0{c}_0303morning_0008_{i}.jpg" for i, c in enumerate((1, 4, 7))]
    testing = [f"0000_{i:03}_{c}_0113noon_0001_{i}_ex.jpg" for i, c in enumerate((14, 15, 10))]
    tree(place, {f"{train}/0000": training, f"{test}/0000": testing})
    lists = {
        "list_train.txt": training[:2],
        "list_val.txt": training[2:],
        "list_query.txt": testing[:1],
        "list_gallery.txt": testing[1:],
    }
    for name, names in lists.items():
        (place / name).write_text("".join(f"0000/{n} 0\n" for n in names))
    return place


@pytest.mark.parametrize("version", ["V1", "V2"])
def test_msmt17_both_versions(tmp_path: Path, tree: Tree, version: str) -> None:
    msmt(tmp_path, tree, version)
    dataset = load_dataset("msmt17", tmp_path)
    assert labels(dataset.train) == [(1, 1), (1, 4), (1, 7)]
    assert labels(dataset.query) == [(1, 14)]
    assert labels(dataset.gallery) == [(1, 15), (1, 10)]
    assert any(f"this is {version}" in note for note in dataset.notes)


def test_msmt17_inside_msmt17_is_found(tmp_path: Path, tree: Tree) -> None:
    msmt(tmp_path / "msmt17", tree)
    assert len(load_dataset("msmt17", tmp_path).train) == 3


def test_msmt17_without_a_list_file_names_it(tmp_path: Path, tree: Tree) -> None:
    (msmt(tmp_path, tree) / "list_query.txt").unlink()
    with pytest.raises(InputError, match=r"lacks list_query\.txt"):
        load_dataset("msmt17", tmp_path)


def test_msmt17_versions_mixed_in_one_folder(tmp_path: Path, tree: Tree) -> None:
    place = msmt(tmp_path, tree)
    for name in ("mask_train_v2", "mask_test_v2"):
        (place / name).mkdir()
    with pytest.raises(InputError, match=r"V1 .* and V2"):
        load_dataset("msmt17", tmp_path)


def test_msmt17_rows_that_cannot_be_used(tmp_path: Path, tree: Tree) -> None:
    place = msmt(tmp_path, tree)
    train = place / "list_train.txt"
    original = train.read_text()
    train.write_text(
        "\ufeff"
        + original.replace("\n", "\r\n")
        + "0000/0000_099_01_0303morning_0008_9.jpg 0\n"
        + "0000/0000_000_01_0303morning_0008_0.jpg 5\n\n",
        encoding="utf-8",
    )
    dataset = load_dataset("msmt17", tmp_path)
    assert len(dataset.train) == 3
    text = " ".join(dataset.notes)
    assert "lists it and it is not there" in text
    assert "gives it another identity" in text
    train.write_text("0000_000.jpg\n")
    with pytest.raises(InputError, match=r"list_train\.txt, line 1"):
        load_dataset("msmt17", tmp_path)
    train.write_text("../../../etc/0000_000_01_0303morning_0008_0.jpg 0\n")
    with pytest.raises(InputError, match="leads outside"):
        load_dataset("msmt17", tmp_path)


@pytest.mark.parametrize("places", [("Probe", "Gallery"), ("query", "gallery")])
def test_partial_ilids(tmp_path: Path, tree: Tree, places: tuple[str, str]) -> None:
    tree(tmp_path / "Partial_iLIDS", {place: ["1.jpg", "2.jpg", "119.jpg"] for place in places})
    dataset = load_dataset("partial_ilids", tmp_path)
    assert dataset.train == ()
    assert sorted(labels(dataset.query)) == [(1, 1), (2, 1), (119, 1)]
    assert sorted(labels(dataset.gallery)) == [(1, 2), (2, 2), (119, 2)]


def own(root: Path, tree: Tree, rows: str, header: str = "path,pid,camid,split") -> Path:
    tree(root, {"träger name": ["a b.jpg", "c.PNG", "d.jpg", "é.jpg"]})
    (root / "dataset.csv").write_text(f"{header}\n{rows}", encoding="utf-8")
    return root


FOUR = """träger name/a b.jpg,anna,hall,train
träger name/c.PNG,anna,yard,train
träger name/d.jpg,bob,hall,query
träger name/é.jpg,bob,yard,gallery
"""


def test_a_folder_with_names_for_people_numbers_them_and_says_so(
    tmp_path: Path, tree: Tree
) -> None:
    dataset = load_dataset("folder", own(tmp_path, tree, FOUR))
    assert labels(dataset.train) == [(1, 1), (1, 2)]
    assert labels(dataset.query) == [(2, 1)]
    assert labels(dataset.gallery) == [(2, 2)]
    assert "anna = 1, bob = 2" in dataset.notes[0]


def test_numbers_from_zero_are_people_not_distractors(tmp_path: Path, tree: Tree) -> None:
    rows = FOUR.replace("anna", "0").replace("bob", "7")
    dataset = load_dataset("folder", own(tmp_path, tree, rows))
    assert [s.pid for s in (*dataset.train, *dataset.query)] == [1, 1, 2]
    assert "0 = 1, 7 = 2" in dataset.notes[0]


def test_positive_numbers_are_kept_and_cameras_may_be_missing(tmp_path: Path, tree: Tree) -> None:
    rows = FOUR.replace("anna", "12").replace("bob", "7").replace(",hall,", ",").replace(
        ",yard,", ","
    )  # fmt: skip
    dataset = load_dataset("folder", own(tmp_path, tree, rows, header="path,pid,split"))
    assert labels((*dataset.train, *dataset.query)) == [(12, -1), (12, -1), (7, -1)]
    assert dataset.notes == ()


def test_equal_numbers_written_differently_are_two_people(tmp_path: Path, tree: Tree) -> None:
    rows = FOUR.replace("anna", "7").replace("bob", "007")
    dataset = load_dataset("folder", own(tmp_path, tree, rows))
    assert dataset.train[0].pid != dataset.query[0].pid


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("bob,hall,query", "bob,hall,test", "line 4: split is train, query or gallery"),
        ("bob,hall,query", ",hall,query", "line 4: path and pid"),
        ("träger name/d.jpg", "/etc/passwd", "line 4"),
        ("träger name/d.jpg", "../d.jpg", "line 4"),
    ],
)
def test_wrong_rows_are_named_by_their_line(
    tmp_path: Path, tree: Tree, old: str, new: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        load_dataset("folder", own(tmp_path, tree, FOUR.replace(old, new)))


def test_wrong_tables_are_named(tmp_path: Path, tree: Tree) -> None:
    own(tmp_path, tree, FOUR.replace(",", ";"), header="path;pid;camid;split")
    with pytest.raises(InputError, match="lacks the column path, pid, split"):
        load_dataset("folder", tmp_path)
    (tmp_path / "dataset.csv").write_bytes("path,pid,split\nträger,1,train".encode("latin-1"))
    with pytest.raises(InputError, match="not a table in UTF-8"):
        load_dataset("folder", tmp_path)


def test_a_listed_file_that_is_missing_is_left_out_and_counted(tmp_path: Path, tree: Tree) -> None:
    own(tmp_path, tree, FOUR)
    (tmp_path / "träger name/c.PNG").unlink()
    dataset = load_dataset("folder", tmp_path)
    assert len(dataset.train) == 1
    assert "lists it and it is not there (first: c.PNG)" in dataset.notes[-1]
    shutil.rmtree(tmp_path / "träger name")
    with pytest.raises(InputError, match="holds no train pictures"):
        load_dataset("folder", tmp_path)
