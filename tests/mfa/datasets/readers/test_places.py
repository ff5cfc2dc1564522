from __future__ import annotations

import os
from pathlib import Path

import pytest

from mfa.datasets.readers.listing import (
    expanded,
    is_file,
    is_folder,
    quoted,
)


def test_what_is_there_is_recognised_and_links_that_lead_nowhere_are_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    for name, goal in (("loop", "loop"), ("gone", "nothing")):
        (tmp_path / name).symlink_to(goal)
    known = {name: (is_folder(tmp_path / name), is_file(tmp_path / name)) for name in (".", "file")}
    assert known == {".": (True, False), "file": (False, True)}
    for name in ("loop", "gone", "x" * 5000):
        assert not is_folder(tmp_path / name)
        assert not is_file(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")
def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not is_file(tmp_path / "pipe")


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
    assert quoted(Path("a/b")) == "a/b"
    assert quoted(Path("my pictures")) == "'my pictures'"
