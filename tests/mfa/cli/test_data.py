from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mfa.cli import COMMANDS, run

SHARED = Path(__file__).resolve().parents[3].parent / "shared/data"


def data(*arguments: object) -> int:
    return run("mfa", COMMANDS, ["data", *map(str, arguments)])


def real(name: str) -> Path:
    if not (SHARED / name).is_file():
        pytest.skip(f"{name} is not beside the checkout")
    return SHARED / name


def test_help_answers_without_pytorch() -> None:
    code = (
        "import sys; from mfa.cli import run, COMMANDS\n"
        "try: run('mfa', COMMANDS, ['data', '--help'])\n"
        "finally: assert not {'torch', 'matplotlib', 'IPython'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert "prepare" in done.stdout
    assert "AssertionError" not in done.stderr


@pytest.mark.real
def test_the_real_partial_reid_is_prepared_and_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare = ["prepare", "partial_reid", "--archive", real("Partial-REID.zip")]
    place = ["--data-root", tmp_path, "--json"]
    for written, kept in ((901, 0), (0, 901)):
        assert data(*prepare, *place) == 0
        done = json.loads(capsys.readouterr().out)
        assert (done["written"], done["kept"]) == (written, kept)
    assert data("doctor", "partial_reid", *place) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["clean"] is True
    for split in ("query", "gallery"):
        assert report["splits"][split]["images"] == 300
        assert report["splits"][split]["identities"] == 60
        assert report["splits"][split]["as_published"] is True
    assert {finding["code"] for finding in report["findings"]} == {"no-camera"}


@pytest.mark.real
@pytest.mark.slow
def test_the_real_market_is_prepared_and_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = real("Market-1501-v15.09.15.zip")
    assert data("prepare", "market1501", "--archive", archive, "--data-root", tmp_path) == 0
    said = capsys.readouterr().out
    assert "12,936 pictures of 751 people from 6 cameras (as published)" in said
    assert "3,819 of them junk and 2,798 distractors (as published)" in said
    assert not list(tmp_path.rglob("Thumbs.db"))
    # The thirteen names of identity 1488 that end in .jpg.jpg are people like all others.
    gallery = tmp_path / "market1501/bounding_box_test"
    assert len(list(gallery.glob("1488_*.jpg.jpg"))) == 13
    assert data("doctor", "market1501", "--data-root", tmp_path, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    sizes = {name: (s["images"], s["identities"]) for name, s in report["splits"].items()}
    assert sizes == {"train": (12936, 751), "query": (3368, 750), "gallery": (19732, 750)}
    found = report["splits"]["gallery"]
    assert (found["junk"], found["distractors"], found["cameras"]) == (3819, 2798, 6)
    codes = {finding["code"] for finding in report["findings"]}
    assert not codes & {"broken-picture", "query-without-match", "query-same-camera"}


def test_views_become_a_folder_to_distil_from(
    tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "views"
    assert data("views", "synthetic", "--copies", 1, "--data-root", tiny_root, "--out", folder) == 0
    assert f"--data folder --data-root {folder}" in capsys.readouterr().out
    assert len(list(folder.glob("*_view1.jpg"))) == 24


def test_doctor_leaves_with_1_where_something_must_be_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "market1501/query").mkdir(parents=True)
    assert leaving("doctor", "market1501", "--data-root", tmp_path) == 1
    assert "lacks bounding_box_train, bounding_box_test" in capsys.readouterr().out
    assert leaving("doctor", "market1501", "--data-root", tmp_path, "--json") == 1
    assert json.loads(capsys.readouterr().out)["clean"] is False


def leaving(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        data(*arguments)
    return int(caught.value.code or 0)


def test_folder_previews_then_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for person in ("anna", "bob", "çelik", "dora"):
        for camera in ("1", "2"):
            (tmp_path / person / camera).mkdir(parents=True)
            for number in range(2):
                (tmp_path / person / camera / f"{number}.jpg").write_bytes(b"x")
    arguments = ["folder", tmp_path, "--pattern", "cameras-in-folders"]
    assert data(*arguments, "--preview") == 0
    shown = capsys.readouterr().out
    assert "anna" in shown
    assert "train: 8 pictures, 2 people, 2 cameras" in shown
    assert not (tmp_path / "dataset.csv").exists()
    assert data(*arguments) == 0
    assert (tmp_path / "dataset.csv").read_text(encoding="utf-8").count("\n") == 17
    assert data(*arguments) == 2
    assert "exists already" in capsys.readouterr().err


def test_prepare_a_wrong_archive_is_one_sentence_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "cats.zip", "w") as opened:
        opened.writestr("tom.jpg", b"x")
    status = data("prepare", "market1501", "--archive", tmp_path / "cats.zip")
    assert status == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "is not Market-1501" in captured.err
    assert captured.err.count("\n") == 1


def test_make_something_else_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert data("make", "market1501") == 2
    assert "name synthetic or synthetic_partial" in capsys.readouterr().err


def test_a_suggested_command_can_be_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "my pictures"
    root.mkdir()
    for person in ("anna", "bob"):
        for number in (1, 2):
            (root / f"{person}_{number}.jpg").write_bytes(b"x")
    assert data("folder", root, "--pattern", "prefix") == 0
    assert capsys.readouterr().out.endswith(f"use --data folder --data-root '{root}'\n")


def test_the_preview_is_shown_where_the_division_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for person in ("anna", "bob"):
        (tmp_path / f"{person}_1.jpg").write_bytes(b"x")
    assert data("folder", tmp_path, "--pattern", "prefix", "--preview") == 2
    said = capsys.readouterr()
    assert [line.split() for line in said.out.splitlines()[1:]] == [
        ["anna_1.jpg", "anna", "-"],
        ["bob_1.jpg", "bob", "-"],
        ["not", "divided:", "2", "pictures,", "2", "people,", "0", "cameras"],
    ]
    assert "cannot be divided into training and test" in said.err
