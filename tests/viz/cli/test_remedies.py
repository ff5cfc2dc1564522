"""Every command and option that a message names exists."""

import ast
import re
from pathlib import Path

import pytest

from mfa.cli import COMMANDS as MFA
from mfa.cli import MOVED
from viz.cli import COMMANDS as VIZ

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted([*ROOT.glob("mfa/**/*.py"), *ROOT.glob("viz/**/*.py")])


def options():
    """Fields of dataclasses and arguments of functions, of which the command lines are made."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield node.target.id.strip("_").replace("_", "-")
            elif isinstance(node, ast.arg) and "/cli/" in path.as_posix():
                yield node.arg.strip("_").replace("_", "-")
            elif isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
                yield str(node.value.value)  # tyro.conf.arg(name="json")


OPTIONS = {*options(), "help"}


def messages(path):
    """Words inside calls of ``InputError``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError":
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_message_advises_exists(path):
    for words in messages(path):
        for option in re.findall(r"(?<![\w-])--([a-z][a-z0-9-]*[a-z0-9])", words):
            assert option.removeprefix("no-") in OPTIONS or option in OPTIONS, words
        for program, command in re.findall(r"\b(mfa-viz|mfa) ([a-z][a-z-]+)\b", words):
            assert command in {"mfa": MFA, "mfa-viz": VIZ}[program], words


def test_no_page_names_a_retired_command():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("notebooks/*.ipynb")]
    sources = [*ROOT.glob("benchmarks/*.py"), *SOURCES]
    told = {ROOT / "CHANGELOG.md", ROOT / "mfa/cli/__init__.py"}
    for path in {*pages, *sources} - told:
        named = [old for old in MOVED if re.search(rf"\b{old}\b", path.read_text(encoding="utf-8"))]
        assert not named, path


@pytest.mark.parametrize("command", ["grid", "charts"])
def test_scoring_without_the_camera_rule_can_be_asked_for(command, capsys):
    import importlib

    with pytest.raises(SystemExit):
        importlib.import_module(f"viz.cli.{command}").main(["--help"])
    shown = capsys.readouterr().out
    assert {"--no-camera", "--device", "--precision"} <= set(re.findall(r"--[a-z-]+", shown))
