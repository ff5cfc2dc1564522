"""The way things depend, held by reading the imports; and what importing must not cost."""

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

# A layer may import itself and the ones before it. What is not listed works with runs: it may use
# all of these, and none of them may use it.
RECORDS, CONFIG, COMPUTE, RUNS, CLI = range(5)
LAYERS = {
    **dict.fromkeys(("errors", "records"), RECORDS),
    "config": CONFIG,
    **dict.fromkeys(("datasets", "models", "losses"), COMPUTE),
    # A compared method's recipe lies in its file, with its network.
    "presets": COMPUTE,
    **dict.fromkeys(
        ("distances", "metrics", "ranking", "gallery", "rerank", "statistics"), COMPUTE
    ),
    **dict.fromkeys(("results", "protocols", "cards", "branches"), COMPUTE),
    "cli": CLI,
}
DRAWING = {"viz", "matplotlib", "seaborn", "IPython", "ipywidgets", "anywidget"}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Every module a file imports, inside functions and for type checking too, by full name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from names_in(node)


def names_in(node: ast.AST) -> Iterator[str]:
    """The modules one statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative import; this project writes full names"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(module: str) -> int | None:
    """The layer of a module of mfa; None for ``mfa`` itself, which only forwards names."""
    names = module.split(".")
    if names[0] != "mfa" or len(names) == 1 or names[1] in ("__version__", "__getattr__"):
        return None
    return LAYERS.get(names[1], RUNS)


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [p for p in SOURCES if ids(p).startswith("mfa")], ids=ids)
def test_mfa_imports_only_downwards_and_never_draws(path: Path) -> None:
    own = layer(module_of(path))
    for name in imports_of(path):
        assert name.split(".")[0] not in DRAWING, f"{ids(path)} imports {name}; mfa only computes"
        target = layer(name)
        if own is not None and target is not None:
            assert target <= own, f"{ids(path)} imports {name}, which stands above it"


@pytest.mark.parametrize("path", [p for p in SOURCES if ids(p).startswith("viz")], ids=ids)
def test_viz_imports_its_apps_and_commands_nowhere_below_them(path: Path) -> None:
    above = [name for name in ("cli", "apps") if f"viz/{name}" not in ids(path)]
    if "viz/cli" in ids(path):
        above = []
    for name in imports_of(path):
        for part in above:
            assert not name.startswith(f"viz.{part}"), f"{ids(path)} imports {name}"


def test_no_imports_in_a_circle() -> None:
    known = {module_of(path): path for path in SOURCES}
    graph = {}
    for module, path in known.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [name for node in tree.body for name in names_in(node)]
        # from mfa.models import pooling names a module, from mfa.models import build_model does not
        targets = {name if name in known else name.rpartition(".")[0] for name in names}
        graph[module] = (targets & known.keys()) - {module}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", SOURCES, ids=ids)
def test_tyro_stays_in_the_command_lines(path: Path) -> None:
    if "/cli/" not in ids(path):
        assert not any(name.split(".")[0] == "tyro" for name in imports_of(path))


@pytest.mark.parametrize("path", SOURCES, ids=ids)
def test_files_hold_one_idea_each(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 300, f"{lines} lines; has the file taken on two jobs?"
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
