"""What the README and the documents show works: code runs, commands parse, links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import mfa
from mfa.cli import COMMANDS, run
from mfa.synthetic import SyntheticConfig, write
from viz.cli import COMMANDS as VIZ_COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINKED = re.findall(
    r'^    "(.+)",$',
    (ROOT / "tools/site.py").read_text().partition("LINKED = (")[2].partition("\n)")[0],
    re.MULTILINE,
)
STAGED = ("README.md", "docs", "notebooks", *LINKED)
PROGRAMS: Mapping[str, Mapping[str, tuple[str, str]]] = {"mfa": COMMANDS, "mfa-viz": VIZ_COMMANDS}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def shell_lines(program: str) -> list[list[str]]:
    """Command lines of a program in all pages, split into words, without comments."""
    lines = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    lines += re.findall(r"`(mfa(?:-viz)? [^`]+)`", (ROOT / "docs/asks.md").read_text())
    split = [shlex.split(line, comments=True) for line in lines]
    return [words for words in split if words and Path(words[0]).name == program]


MFA_LINES = [words for program in PROGRAMS for words in shell_lines(program)]


def test_the_pages_show_commands() -> None:
    assert len(MFA_LINES) >= 5


@pytest.mark.parametrize("words", MFA_LINES, ids=" ".join)
def test_commands_exist_and_take_the_options_shown(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    program, command, *rest = words
    program = Path(program).name
    inner = rest[:1] if command in ("data", "explain") else []
    with pytest.raises(SystemExit) as left:
        run(program, PROGRAMS[program], [command, *inner, "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    for word in rest:
        if word.startswith("--"):
            assert re.search(rf"{re.escape(word)}\b", text), f"{' '.join(words)}: no {word}"


@pytest.mark.parametrize("words", shell_lines("make"), ids=" ".join)
def test_make_targets_exist(words: list[str]) -> None:
    dry = ["make", "--dry-run", "--no-print-directory", *words[1:]]
    ran = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"(?:\]\(|src=\")([^)#\s\"]+)", page.read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            linked = (page.parent / target).resolve()
            assert linked.exists(), f"{page.name} links to {target}"
            on_the_site = any(linked.is_relative_to(ROOT / name) for name in STAGED)
            assert on_the_site, f"tools/site.py lacks {target}, to which {page.name} links"


def row(page: Path, start: str) -> list[str]:
    """The cells of the first row of a page's tables that begins so."""
    lines = page.read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(
    ("shown", "measured", "rank1", "map_"),
    [
        ("[`mfa-tiny`](data/weights/README.md)", "no flip |", 4, 1),
        ("the public model that `mfa-tiny`", "the public model itself", 4, 1),
        ("| Partial-REID, partial", "partial, every gallery image", 1, 5),
        ("| Partial-REID, occluded", "occluded, every gallery image", 1, 5),
    ],
)
def test_the_readmes_scores_are_the_cards(shown: str, measured: str, rank1: int, map_: int) -> None:
    card = row(ROOT / "data/weights/README.md", measured)
    assert row(ROOT / "README.md", shown)[-2:] == [
        card[column].partition(" ")[0] for column in (rank1, map_)
    ]


def test_badges_and_doors_are_made_of_what_stands_in_the_repository(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "tools/face.py", "--out", tmp_path], check=True)
    for made in tmp_path.glob("badge-*.svg"):
        assert made.read_text() == (ROOT / "docs/images" / made.name).read_text()
        assert f"docs/images/{made.name}" in (ROOT / "README.md").read_text()


def test_the_readmes_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path / "data", SyntheticConfig(train_ids=8, test_ids=4, train_images=4, distractors=4)
    )
    config = mfa.presets.demo()
    short = replace(config, optim=replace(config.optim, epochs=1))
    monkeypatch.setattr(mfa.presets, "demo", lambda: short)
    monkeypatch.delenv("MFA_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    (block,) = blocks(ROOT / "README.md", "python")
    exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "runs" / "mine" / "maps.pdf").exists()
