"""Files come whole or not at all, with the mode of the umask, and no draft stays."""

from __future__ import annotations

import csv
import io
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from mfa.errors import InputError
from mfa.files import (
    atomic,
    csv_text,
    found_above,
    parse_json,
    read_json,
    text_of_cell,
    write_atomically,
)


def test_a_failing_writer_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    write_atomically(file, "old")
    with pytest.raises(TypeError):
        write_atomically(file, lambda draft: draft.write_text(draft.write_text("half")))
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "\ud800")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match="there cannot be written") as caught:
        write_atomically(tmp_path / "there", "text")
    assert "free the disk" in caught.value.fix
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_atomically(tmp_path / "file/below.json", "text")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "there"]


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_the_mode_follows_the_umask_whatever_the_writer_does(tmp_path: Path) -> None:
    def private(draft: Path) -> None:
        draft.unlink()
        os.close(os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600))

    old = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", private)
    finally:
        os.umask(old)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.name == "nt", reason="whether a process runs is not asked there")
def test_drafts_of_killed_processes_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    file = tmp_path / "set [1].npz"
    code = (
        "import os, sys; from pathlib import Path; from mfa.files import atomic\n"
        "with atomic(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=False)
    [left] = tmp_path.iterdir()
    assert left.suffix == ".npz"
    with atomic(file) as mine:  # the process that writes now runs
        write_atomically(file, "text")
        assert sorted(tmp_path.iterdir()) == sorted([file, mine])
    assert list(tmp_path.iterdir()) == [file]


def test_an_error_keeps_its_two_parts_through_pickling() -> None:
    error = pickle.loads(pickle.dumps(InputError("row 3 is empty", "fill it")))
    assert (error.what, error.fix, str(error)) == (
        "row 3 is empty",
        "fill it",
        "row 3 is empty; fill it",
    )
    assert str(InputError("one sentence")) == "one sentence"


def test_text_in_a_table_is_no_formula(tmp_path: Path) -> None:
    link = '=HYPERLINK("http://example.org";"open")'
    table = pd.DataFrame(
        {"name": [link, "-1_c2s1_0.jpg", "+1.5", "plain", "@x"], "gain": [-1.5, 0.0, 1, 2, 3]}
    )
    table["=1+1"] = 7
    text = csv_text(table)
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["name", "gain", "'=1+1"]
    assert [row[0] for row in rows[1:]] == [f"'{link}", "'-1_c2s1_0.jpg", "+1.5", "plain", "'@x"]
    assert [float(row[1]) for row in rows[1:]] == table["gain"].tolist()
    assert [text_of_cell(row[0]) for row in rows[1:]] == table["name"].tolist()


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 200_000, b"9" * 5_000])
def test_json_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json is no JSON"):
        read_json(tmp_path / "x.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path / "none.json")


def test_json_is_read_to_a_depth_that_can_be_printed() -> None:
    assert parse_json('{"a": [1, "[[[["]}') == {"a": [1, "[[[["]}
    assert parse_json("[" * 50 + "]" * 50)
    for deep in ("[" * 51 + "]" * 51, '{"a":' * 100_000):
        with pytest.raises(ValueError, match="more than 50 deep"):
            parse_json(deep)


def test_relative_paths_are_found_in_the_checkout_and_not_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    inner = tmp_path / "checkout/notebooks"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert found_above(Path("data")) == Path("data")  # no checkout: another's folder is not taken
    (tmp_path / "checkout/pyproject.toml").touch()
    assert found_above(Path("data")) == Path("data")
    (tmp_path / "checkout/data").mkdir()
    assert found_above(Path("data")) == tmp_path / "checkout/data"
    (inner / "data").mkdir()
    assert found_above(Path("data")) == Path("data")
    assert found_above(tmp_path / "none") == tmp_path / "none"
