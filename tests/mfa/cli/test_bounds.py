"""Every whole number on either command line has bounds: beyond them it is refused in a sentence."""

from __future__ import annotations

import re

import pytest

from mfa.cli import COMMANDS, run
from viz.cli import COMMANDS as VIZ

LINES = {
    "mfa": [
        "data prepare market1501 --archive x.zip",
        "data make synthetic",
        "data doctor x",
        "data folder x",
        "data masks x",
        "data views x",
        "train demo",
        "export x",
        "evaluate x",
        "evaluate x.npz",
        "ablate default",
        "compare x",
        "explain passport x",
        "explain repaint x",
        "import-weights x --from agw",
        "complexity demo",
        "project x y --teacher z",
        "verify x",
    ],
    "mfa-viz": [
        "demo",
        "maps x",
        "grid x",
        "attention x",
        "curves x",
        "charts x",
        "data x",
        "figures --run x --out y",
        "app",
    ],
}
"""For each command what it cannot do without; nothing called x exists."""


def refusal(program: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    try:
        status: object = run(program, {"mfa": COMMANDS, "mfa-viz": VIZ}[program], words)
    except SystemExit as left:
        status = left.code
    said = capsys.readouterr()
    assert status == 2, (words, said)
    assert "Traceback" not in said.err
    return said.err


@pytest.mark.parametrize(
    ("program", "line"), [(program, line) for program, lines in LINES.items() for line in lines]
)
def test_whole_numbers_have_bounds(
    program: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    words = line.split()
    with pytest.raises(SystemExit):
        run(program, {"mfa": COMMANDS, "mfa-viz": VIZ}[program], [*words, "--help"])
    options = re.findall(r"(--[\w.-]+) [^-\n]*?\bINT(,? INT)?\b", capsys.readouterr().out)
    for option, second in options:
        for value in (-1, 10**9):
            if value > 0 and option in ("--seed", "--config.seed"):
                continue
            given = [str(value)] * (2 if second else 1)
            said = refusal(program, [*words, option, *given], capsys)
            number = "-1" if value < 0 else r"1,?000,?000,?\d{3}"  # or a sum with another
            assert re.search(rf"got .*{number}(?!\d)", said), (option, said)


def test_every_command_is_tried() -> None:
    tried = {program: {line.split()[0] for line in lines} for program, lines in LINES.items()}
    assert tried == {"mfa": set(COMMANDS), "mfa-viz": set(VIZ)}
