"""The readers whose data cannot be had, on trees in the published layout, traps included."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mfa.cli import COMMANDS, run
from mfa.datasets import load_dataset
from mfa.datasets.doctor import examine
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


ELSEWHERE = "/home/someone/data/cuhk03/images_detected/"


def extracted(root: Path, tree: Tree, **more: list[list[object]]) -> Path:
    """What deep-person-reid writes: paths of another machine, training labels from 0, test from 1.

    Person 1 of the test lists is another one than person 0 of the training list, plus 1.
    """
    names = ["2_010_1_01.png", "2_010_2_06.png", "1_001_1_01.png", "1_001_2_07.png"]
    tree(root / "cuhk03", {"images_detected": [*names, "5_049_1_01.png"]})
    split = {
        "train": [[ELSEWHERE + names[0], 0, 0], [ELSEWHERE + names[1], 0, 1]],
        "query": [[ELSEWHERE + names[2], 1, 0]],
        "gallery": [[ELSEWHERE + names[3], 1, 1]],
    }
    for name, rows in more.items():
        split[name] += rows
    (root / "cuhk03/splits_new_detected.json").write_text(json.dumps([split]))
    return root


def test_cuhk03_from_split_files(tmp_path: Path, tree: Tree) -> None:
    dataset = load_dataset("cuhk03_detected", extracted(tmp_path, tree))
    assert labels(dataset.train) == [(2010, 1), (2010, 2)]
    assert labels(dataset.query) == [(1001, 1)]
    assert labels(dataset.gallery) == [(1001, 2)]
    assert any("1000 times the camera pair" in note for note in dataset.notes)
    report = examine("cuhk03_detected", tmp_path)
    assert report.clean, report.text()
    assert report.text().startswith("CUHK03 (detected, new protocol) in ")


@pytest.mark.parametrize("row", [["5_049_1_01.png", 1, 0], ["1_001_1_01.png", 2, 0]])
def test_cuhk03_labels_that_contradict_the_names_are_left_out(
    tmp_path: Path, tree: Tree, row: list[object]
) -> None:
    """Two people under one label, or one person under two."""
    dataset = load_dataset("cuhk03_detected", extracted(tmp_path, tree, query=[row]))
    assert labels(dataset.query) == [(1001, 1)]
    assert "gives it another identity than its name" in " ".join(dataset.notes)


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
    (place / "test/0000/0000_009_01_0303morning_0099_0.jpg").write_bytes(b"x")
    dataset = load_dataset("msmt17", tmp_path)
    assert len(dataset.train) == 3
    text = " ".join(dataset.notes)
    assert "lists it and it is not there" in text
    assert "gives it another identity" in text
    assert "no list file names it" in text
    train.write_text("0000_000.jpg\n")
    with pytest.raises(InputError, match=r"list_train\.txt, line 1"):
        load_dataset("msmt17", tmp_path)
    train.write_text(original.replace(" ", "\t"))
    assert len(load_dataset("msmt17", tmp_path).train) == 3
    train.write_bytes("0000/é.jpg 0".encode("latin-1"))
    with pytest.raises(InputError, match=r"list_train\.txt is not text in UTF-8"):
        load_dataset("msmt17", tmp_path)
    train.write_text("../../../etc/0000_000_01_0303morning_0008_0.jpg 0\n")
    with pytest.raises(InputError, match="leads outside"):
        load_dataset("msmt17", tmp_path)


def test_msmt17_list_that_may_not_be_read(
    tmp_path: Path, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    msmt(tmp_path, tree)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=r"list_train\.txt cannot be read \(Permission denied\)"):
        load_dataset("msmt17", tmp_path)


def test_msmt17_lists_of_other_pictures_say_so(tmp_path: Path, tree: Tree) -> None:
    place = msmt(tmp_path, tree)
    for path in (place / "train").rglob("*.jpg"):
        path.rename(path.with_suffix(".jpeg"))
    with pytest.raises(InputError, match=r"left out 3: list_train\.txt lists it"):
        load_dataset("msmt17", tmp_path)


@pytest.mark.parametrize("part", ["train", "list_query.txt"])
def test_msmt17_parts_of_the_wrong_kind(tmp_path: Path, tree: Tree, part: str) -> None:
    place = msmt(tmp_path, tree)
    (place / part).rename(tmp_path / "away")
    if part == "train":
        (place / part).write_text("x")
    else:
        (place / part).mkdir()
    with pytest.raises(InputError, match=rf"lacks {part} \(there is a f"):
        load_dataset("msmt17", tmp_path)


PLACES = [("Probe", "Gallery"), ("probe", "gallery"), ("query", "gallery")]


@pytest.mark.parametrize("places", PLACES)
def test_partial_ilids(tmp_path: Path, tree: Tree, places: tuple[str, str]) -> None:
    tree(tmp_path / "Partial_iLIDS", {place: ["1.jpg", "2.jpg", "119.jpg"] for place in places})
    dataset = load_dataset("partial_ilids", tmp_path)
    assert dataset.train == ()
    assert sorted(labels(dataset.query)) == [(1, 1), (2, 1), (119, 1)]
    assert sorted(labels(dataset.gallery)) == [(1, 2), (2, 2), (119, 2)]


def test_each_list_of_partial_ilids_shows_one_of_its_cameras(
    tmp_path: Path, tree: Tree, small_counts: Path
) -> None:
    """The set has two cameras, and a list with one of them is as published."""
    with small_counts.open("a") as counts:
        counts.writelines(f"partial_ilids,,{s},2,2,2,test,read\n" for s in ("query", "gallery"))
    tree(tmp_path / "PartialiLIDS", {s: ["001_1.jpg", "2_1.jpg"] for s in ("query", "gallery")})
    report = examine("partial_ilids", tmp_path)
    assert [s.as_published for s in report.summaries] == [True, True]
    assert report.findings == ()
    assert " 2 pictures of 2 people from 1 camera (as published)" in report.text()


OCCLUDED = {
    f"{part}/{pid:03}": [f"{pid:03}_{i:02}.tif" for i in (1, 2)]
    for part in ("occluded_body_images", "whole_body_images")
    for pid in (1, 200)
}


def test_occluded_reid(tmp_path: Path, tree: Tree) -> None:
    place = tree(tmp_path / "Occluded_REID", OCCLUDED)
    dataset = load_dataset("occluded_reid", tmp_path)
    assert dataset.train == ()
    assert labels(dataset.query) == labels(dataset.gallery) == [(p, -1) for p in (1, 1, 200, 200)]
    assert {s.path.parent.parent.name for s in dataset.query} == {"occluded_body_images"}
    assert dataset.notes == ()
    assert examine(str(place)).name == "occluded_reid"
    with pytest.raises(InputError, match="read it as occluded_reid"):
        load_dataset("partial_reid_occluded", place)


def test_occluded_reid_as_fast_reid_has_it(tmp_path: Path, tree: Tree) -> None:
    """Its names are Partial-iLIDS's too; the folder's name tells."""
    names = ["001_01.jpg", "200_05.jpg"]
    tree(tmp_path / "OccludedREID", {"query": names, "gallery": names})
    assert labels(load_dataset("occluded_reid", tmp_path).gallery) == [(1, -1), (200, -1)]
    assert examine(str(tmp_path / "OccludedREID")).name == "occluded_reid"
    (tmp_path / "OccludedREID").rename(tmp_path / "Partial_iLIDS")
    assert examine(str(tmp_path / "Partial_iLIDS")).name == "partial_ilids"


def test_occluded_reid_in_the_wrong_person_s_folder(tmp_path: Path, tree: Tree) -> None:
    place = tree(tmp_path / "Occluded_REID", OCCLUDED)
    (place / "whole_body_images/001/001_02.tif").rename(place / "whole_body_images/200/001_02.tif")
    dataset = load_dataset("occluded_reid", tmp_path)
    assert labels(dataset.gallery) == [(1, -1), (200, -1), (200, -1)]
    assert "left out 1: its folder gives it another identity than its name" in " ".join(
        dataset.notes
    )
    codes = {f.code: f.severity for f in examine("occluded_reid", tmp_path).findings}
    assert codes["list-disagrees"] == "error"


def own(root: Path, tree: Tree, rows: str, header: str = "path,pid,camid,split") -> Path:
    tree(root, {"träger name": ["a b.jpg", "c.PNG", "d.jpg", "é.jpg"]})
    (root / "dataset.csv").write_text(f"{header}\n{rows}", encoding="utf-8")
    return root


FOUR_HEAD = "path,pid,camid,split\n"

FOUR = """träger name/a b.jpg,anna,hall,train
träger name/c.PNG,anna,yard,train
träger name/d.jpg,bob,hall,query
träger name/é.jpg,bob,yard,gallery
"""


@pytest.mark.parametrize(
    ("anna", "bob", "note"),
    [
        ("anna", "bob", "anna = 1, bob = 2"),
        ("0", "7", "0 = 1, 7 = 2"),  # no distractors
        ("007", "7", "= 1, 7 = 2"),  # two people
        ("9" * 30, "a", "= 1, a = 2"),  # more than 64 bits hold
    ],
)
def test_other_labels_than_positive_numbers_are_numbered_with_a_note(
    tmp_path: Path, tree: Tree, anna: str, bob: str, note: str
) -> None:
    rows = FOUR.replace("anna", anna).replace("bob", bob)
    dataset = load_dataset("folder", own(tmp_path, tree, rows))
    assert labels(dataset.train) == [(1, 1), (1, 2)]
    assert labels((*dataset.query, *dataset.gallery)) == [(2, 1), (2, 2)]
    assert note in dataset.notes[0]


def test_positive_numbers_are_kept_and_cameras_may_be_missing(tmp_path: Path, tree: Tree) -> None:
    rows = FOUR.replace("anna", "12").replace("bob", "7").replace(",hall,", ",").replace(
        ",yard,", ","
    )  # fmt: skip
    dataset = load_dataset("folder", own(tmp_path, tree, rows, header="path,pid,split"))
    assert labels((*dataset.train, *dataset.query)) == [(12, -1), (12, -1), (7, -1)]
    assert dataset.notes == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("bob,hall,query", "bob,hall,test", "split of 'träger name/d.jpg' is 'test'"),
        ("träger name/d.jpg", "", "line 4: the path is empty"),
        ("träger name/d.jpg", "/etc/passwd", "line 4"),
        ("träger name/d.jpg", "../d.jpg", "line 4"),
        ("c.PNG,anna", "c.PNG,unknown", "'unknown' is no person"),
    ],
)
def test_wrong_rows_are_named_by_their_line(
    tmp_path: Path, tree: Tree, old: str, new: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        load_dataset("folder", own(tmp_path, tree, FOUR.replace(old, new)))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            "./träger name/d.jpg,anna,hall,gallery",
            "person 'bob' by camera 'hall' and person 'a",
        ),
        ("träger name/d.jpg,bob,yard,gallery", "and person 'bob' by camera 'yard'; keep the row"),
        ("träger name/d.jpg,bob,hall,query", "lists 'träger name/d.jpg' twice for query"),
    ],
)
def test_rows_that_contradict_each_other_are_refused(
    tmp_path: Path, tree: Tree, more: str, says: str
) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        load_dataset("folder", own(tmp_path, tree, f"{FOUR}{more}\n"))


def test_a_query_may_be_in_the_gallery_too(tmp_path: Path, tree: Tree) -> None:
    own(tmp_path, tree, f"{FOUR}träger name/d.jpg,bob,hall,gallery\n")
    assert labels(load_dataset("folder", tmp_path).gallery) == [(2, 1), (2, 2)]
    assert "duplicate-query-gallery" in {f.code for f in examine("folder", tmp_path).findings}


def test_an_absolute_path_below_the_folder_is_read(tmp_path: Path, tree: Tree) -> None:
    """Also where the folder is named by a link to it."""
    place = tmp_path / "place"
    expected = load_dataset("folder", own(place, tree, FOUR))
    table = place / "dataset.csv"
    table.write_text(FOUR_HEAD + FOUR.replace("träger", f"{place}/träger"), encoding="utf-8")
    (tmp_path / "link").symlink_to(place, target_is_directory=True)
    for root in (place, tmp_path / "link"):
        assert load_dataset("folder", root).fingerprint == expected.fingerprint


def test_a_row_without_a_list_is_given_one(tmp_path: Path, tree: Tree) -> None:
    """The command that the message names does it."""
    own(tmp_path, tree, FOUR.replace("bob,yard,gallery", "bob,yard,"))
    with pytest.raises(InputError, match=r"is ''.*--split \.=gallery") as caught:
        load_dataset("folder", tmp_path)
    words = shlex.split(caught.value.fix.partition("mfa ")[2])
    assert run("mfa", COMMANDS, words) == 0
    assert labels(load_dataset("folder", tmp_path).gallery) == [(2, 2)]


def test_a_table_without_lists_says_how_to_divide_it(tmp_path: Path, tree: Tree) -> None:
    rows = re.sub(",(train|query|gallery)\n", "\n", FOUR)
    with pytest.raises(InputError, match=r"mfa data folder .* --table dataset\.csv"):
        load_dataset("folder", own(tmp_path, tree, rows, header="path,pid,camid"))


def test_wrong_tables_are_named(tmp_path: Path, tree: Tree) -> None:
    own(tmp_path, tree, FOUR.replace(",", ";"), header="path;pid;camid;split")
    with pytest.raises(InputError, match="lacks the column path, pid "):
        load_dataset("folder", tmp_path)
    (tmp_path / "dataset.csv").write_bytes("path,pid,split\nträger,1,train".encode("latin-1"))
    with pytest.raises(InputError, match="not text in UTF-8"):
        load_dataset("folder", tmp_path)


def test_tables_from_spreadsheets_and_windows_are_read(tmp_path: Path, tree: Tree) -> None:
    expected = load_dataset("folder", own(tmp_path, tree, FOUR))
    rows = FOUR.replace("name/", "name\\").replace(",train", ", Train ").replace(",query", ",QUERY")
    assert load_dataset("folder", own(tmp_path, tree, rows, header="Path, PID,CamID , split"))
    assert load_dataset("folder", tmp_path).fingerprint == expected.fingerprint


def test_a_path_that_no_system_takes_is_a_missing_file(tmp_path: Path, tree: Tree) -> None:
    own(tmp_path, tree, FOUR + "x" * 5000 + ".jpg,anna,hall,train\n")
    assert len(load_dataset("folder", tmp_path).train) == 2


def test_a_listed_file_that_is_missing_is_left_out_and_counted(tmp_path: Path, tree: Tree) -> None:
    own(tmp_path, tree, FOUR)
    (tmp_path / "träger name/c.PNG").unlink()
    dataset = load_dataset("folder", tmp_path)
    assert len(dataset.train) == 1
    assert "lists it and it is not there (first: " in dataset.notes[-1]
    shutil.rmtree(tmp_path / "träger name")
    with pytest.raises(InputError, match="holds no train pictures"):
        load_dataset("folder", tmp_path)
