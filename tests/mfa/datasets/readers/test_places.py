from __future__ import annotations

import os
from pathlib import Path

import pytest

from mfa.datasets.readers.listing import (
    expanded,
    is_file,
    is_folder,
    printable,
    quoted,
)


def test_what_is_there_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("x")
    assert (is_folder(tmp_path), is_file(tmp_path)) == (True, False)
    assert (is_folder(tmp_path / "a file"), is_file(tmp_path / "a file")) == (False, True)
    assert not is_folder(tmp_path / "nothing")


def test_links_that_lead_nowhere_are_neither(tmp_path: Path) -> None:
    for name, goal in (("loop", "loop"), ("gone", "nothing")):
        link = tmp_path / name
        link.symlink_to(goal)
        assert (is_folder(link), is_file(link)) == (False, False)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")
def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not is_file(tmp_path / "pipe")


def test_nothing_is_raised_for_a_name_no_system_takes() -> None:
    endless = Path("x" * 5000)
    assert (is_folder(endless), is_file(endless)) == (False, False)


def test_nothing_is_raised_where_looking_is_forbidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    for method in ("is_dir", "is_file"):
        monkeypatch.setattr(Path, method, refuse)
    assert (is_folder(tmp_path), is_file(tmp_path)) == (False, False)


def test_a_home_that_is_nobody_s_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert expanded("~/data") == Path("/home/me/data")
    assert expanded("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")


def test_paths_can_be_written_and_typed() -> None:
    assert printable("ä b") == "ä b"
    assert printable(os.fsdecode(b"a\xff.jpg")) == r"a\udcff.jpg"
    assert quoted(Path("a/b")) == "a/b"
    assert quoted(Path("my pictures")) == "'my pictures'"
