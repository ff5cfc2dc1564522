"""The order of the packages, held by reading every import; and what importing must not cost."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*ROOT.glob("mfa/**/*.py"), *ROOT.glob("viz/**/*.py")])

# A package imports itself and what stands in a line above its own. Packages of one line do not
# know each other.
ORDER = """
mfa.errors mfa.progress
mfa.files mfa.records mfa.config
mfa.datasets mfa.losses
mfa.models mfa.synthetic
mfa.presets
mfa.retrieval mfa.runs
mfa.comparison mfa.inference mfa.training
mfa.explain
mfa.ablation
mfa.cli
viz.theme
viz.images viz.tables viz.export viz.notebook
viz.charts viz.grids
viz.paper
viz.apps
viz.bench viz.cli
"""
LINE = {room: line for line, rooms in enumerate(ORDER.split("\n")) for room in rooms.split()}
DRAWING = {"viz", "matplotlib", "seaborn", "IPython", "ipywidgets", "anywidget"}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names_in(node: ast.AST) -> Iterator[str]:
    """The modules one statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative import; this project writes full names"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_of(path: Path) -> Iterator[str]:
    """Every module a file imports, inside functions and for type checking too, by full name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from names_in(node)


def room_of(module: str) -> str:
    """The package or loose module at the level of ``mfa.*`` and ``viz.*``."""
    return ".".join(module.split(".")[:2])


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


INSIDE = [path for path in SOURCES if ids(path) not in ("mfa/__init__.py", "viz/__init__.py")]


def test_the_order_names_every_room() -> None:
    assert {room_of(module_of(path)) for path in INSIDE} == set(LINE)


@pytest.mark.parametrize("path", INSIDE, ids=ids)
def test_imports_go_down_the_order(path: Path) -> None:
    own = room_of(module_of(path))
    for name in imports_of(path):
        top, room = name.split(".")[0], room_of(name)
        assert top not in ("benchmarks", "tests", "tools"), f"{ids(path)} imports {name}"
        assert own.startswith("viz") or top not in DRAWING, f"mfa only computes; imports {name}"
        if room in LINE and room != own:
            assert LINE[room] < LINE[own], f"{ids(path)} imports {name}, which stands above it"


def test_no_imports_in_a_circle() -> None:
    known = {module_of(path): path for path in SOURCES}
    graph = {}
    for module, path in known.items():
        # from mfa.models import pooling names a module, from mfa.models import build_model does not
        targets = {name if name in known else name.rpartition(".")[0] for name in imports_of(path)}
        graph[module] = (targets & known.keys()) - {module}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", SOURCES, ids=ids)
def test_tyro_stays_in_the_command_lines(path: Path) -> None:
    if "/cli/" not in ids(path):
        assert not any(name.split(".")[0] == "tyro" for name in imports_of(path))


@pytest.mark.parametrize("path", SOURCES, ids=ids)
def test_files_hold_one_idea_each(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{lines} lines; has the file taken on two jobs?"
    assert path.stem not in ("utils", "helpers", "misc", "common")


def modules_after(statement: str) -> set[str]:
    """Top-level modules loaded in a fresh interpreter after ``statement``."""
    program = (
        f"import sys\ntry:\n    {statement}\nexcept SystemExit:\n    pass\n"
        "print('\\nMODULES', *{name.split('.')[0] for name in sys.modules})"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.split("\nMODULES ")[-1].split())


@pytest.mark.parametrize("package", ["mfa", "viz"])
def test_importing_the_packages_is_cheap(package: str) -> None:
    loaded = modules_after(f"import {package}")
    assert package in loaded
    assert not loaded & {"torch", "matplotlib", "pandas", "IPython", "ipywidgets", "tyro"}


def test_computing_loads_nothing_that_draws() -> None:
    loaded = modules_after("import mfa; mfa.fit; mfa.evaluate; mfa.build_model; mfa.load_dataset")
    assert "torch" in loaded
    assert not loaded & DRAWING


def commands() -> list[tuple[str, str]]:
    from mfa.cli import COMMANDS
    from viz.cli import COMMANDS as VIZ

    return [("mfa", name) for name in COMMANDS] + [("viz", name) for name in VIZ]


@pytest.mark.parametrize(("package", "command"), commands())
def test_help_needs_no_torch_and_no_matplotlib(package: str, command: str) -> None:
    loaded = modules_after(
        f"from {package}.cli import COMMANDS; import mfa.cli; "
        f"assert not mfa.cli.run({package!r}, COMMANDS, [{command!r}, '--help'])"
    )
    assert not loaded & {"torch", "matplotlib", "IPython", "ipywidgets"}
