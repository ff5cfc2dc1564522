"""What every command shares: printing on any terminal, and to readers that stop early."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from mfa.cli import COMMANDS, run


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A data root with a part of a dataset, under a name that is not ASCII."""
    (tmp_path / "träger \U0001f600/market1501/query").mkdir(parents=True)
    return tmp_path / "träger \U0001f600"


def in_ascii(monkeypatch: pytest.MonkeyPatch, *words: object) -> str:
    """What the doctor prints on a terminal of ASCII; it leaves with 1."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(SystemExit) as left:
        run("mfa", COMMANDS, ["data", "doctor", "market1501", "--data-root", *map(str, words)])
    assert left.value.code == 1
    stream.seek(0)
    return stream.read()


def test_a_terminal_of_ascii_shows_the_tree(broken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = in_ascii(monkeypatch, broken)
    assert r"tr\xe4ger \U0001f600" in said
    assert "`-- query/" in said
    assert "|-- bounding_box_train/   0002_c1s1_000451_03.jpg ..." in said


def test_json_is_json_on_a_terminal_of_ascii(broken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = json.loads(in_ascii(monkeypatch, broken, "--json"))
    assert report["folder"] == str(broken / "market1501")
    assert "└── query/" in report["found"]


def test_a_reader_that_stops_early_is_no_error(broken: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", "from mfa.cli import main; main()", "data", "doctor"]
    done = subprocess.run(
        [*command, "market1501", "--data-root", broken, "--names-only"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=300,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("given", "rest", "cache"),
    [
        (["RUN", "--cache", "off", "--flip"], ["RUN", "--flip"], "off"),
        (["--cache=there", "RUN"], ["RUN"], "there"),
        (["RUN", "--", "--cache", "off"], ["RUN", "--", "--cache", "off"], None),
    ],
)
def test_every_command_takes_the_folder_of_the_cache(
    monkeypatch: pytest.MonkeyPatch, given: list[str], rest: list[str], cache: str | None
) -> None:
    monkeypatch.setenv("MFA_CACHE", "")
    monkeypatch.delenv("MFA_CACHE")
    seen: list[str] = []
    command = types.ModuleType("command")
    command.main = seen.extend  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "command", command)
    assert run("mfa", {"compare": ("command", "")}, ["compare", *given]) == 0
    assert seen == rest
    assert os.environ.get("MFA_CACHE") == cache


def test_a_cache_without_a_folder_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mfa", COMMANDS, ["evaluate", "RUN", "--cache"]) == 2
    assert "--cache lacks its value" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "old", "new"),
    [
        ("mfa", "score", "mfa evaluate FILE.npz"),
        ("mfa", "distill", "mfa train PRESET --teacher"),
        ("mfa", "bench", "python -m benchmarks"),
        ("mfa-viz", "bench", "make bench"),
    ],
)
def test_an_old_spelling_says_where_it_went(
    program: str, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(program, COMMANDS, [old, "features.npz"]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert new in printed
