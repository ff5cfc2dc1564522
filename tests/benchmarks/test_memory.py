"""The peak memory of a command is the command's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks import memory
from mfa.cli import COMMANDS
from mfa.errors import InputError
from viz.cli import COMMANDS as VIZ_COMMANDS


def test_a_command_is_charged_with_what_it_holds(tmp_path: Path) -> None:
    here = bytearray(300 * 2**20)  # the measuring process's own memory is not charged
    idle = memory.peak_mib("python -c pass", tmp_path)
    busy = memory.peak_mib("python -c 'bytearray(200 * 2**20)'", tmp_path)
    assert len(here) / 2**20 > idle
    assert 190 < busy - idle < 220


def test_a_command_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mfa nonsense ended with 2: error: no command"):
        memory.peak_mib("mfa nonsense", tmp_path)


@pytest.mark.parametrize(
    ("program", "commands", "without"),
    [("mfa", COMMANDS, set()), ("mfa-viz", VIZ_COMMANDS, {"demo", "app"})],
)
def test_every_command_has_a_row(
    program: str, commands: Mapping[str, object], without: set[str]
) -> None:
    measured = {row.split()[1] for row in memory.COMMANDS if row.split()[0] == program}
    assert measured - {"--help"} == {*commands} - without


def test_the_table_has_a_line_for_each() -> None:
    assert memory.table({"mfa --help": 17.6}).splitlines()[-1] == "| `mfa --help` | 18 |"
