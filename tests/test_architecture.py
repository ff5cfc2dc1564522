"""The order of the packages, held by reading every import; and what importing must not cost."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("import_graph", ROOT / "tools/import_graph.py")
assert SPEC is not None
assert SPEC.loader is not None
import_graph = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(import_graph)

DRAWING = {"viz", "matplotlib", "seaborn", "IPython", "ipywidgets", "anywidget"}
SOURCES = import_graph.sources()
ARROWS = import_graph.graph()


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_order_names_every_room() -> None:
    rooms = {import_graph.room_of(module) for module in ARROWS} - {"mfa", "viz"}
    assert rooms == set(import_graph.LINE)


def test_imports_go_down_the_order_and_in_no_circle() -> None:
    assert import_graph.upward(ARROWS) == []
    assert import_graph.circle(ARROWS) == []


def test_a_circle_and_an_upward_import_are_found() -> None:
    assert import_graph.circle({"mfa.a": {"mfa.b"}, "mfa.b": {"mfa.a"}})
    assert import_graph.upward({"mfa.datasets.x": {"mfa.cli.y"}, "mfa.cli.y": set()})


def test_mfa_never_draws_and_tyro_stays_in_the_command_lines() -> None:
    for path in SOURCES:
        tops = {name.split(".")[0] for name in import_graph.imports_of(path)}
        assert not tops & {"benchmarks", "tests", "tools"}, path
        assert ids(path).startswith("viz") or not tops & DRAWING, path
        assert "/cli/" in ids(path) or "tyro" not in tops, path


def test_files_hold_one_idea_each() -> None:
    for path in SOURCES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 400, f"{path}: {lines} lines; has the file taken on two jobs?"
        assert path.stem not in ("utils", "helpers", "misc", "common"), path


@pytest.mark.parametrize(
    ("example", "known_by"),
    [
        ("mfa.datasets.readers.msmt17", {"mfa.datasets.readers.find"}),
        ("mfa.models.peers.pcb", set()),
        ("viz.charts.breakdown", set()),
        ("viz.apps.dataset", set()),
    ],
)
def test_something_new_is_one_file(example: str, known_by: set[str]) -> None:
    assert {module for module, imports in ARROWS.items() if example in imports} == known_by


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


def test_drawing_tables_needs_no_torch() -> None:
    loaded = modules_after(
        "import pandas as pd, viz, viz.paper; viz.plot_attention; viz.plot_faithfulness\n"
        "    drawn = viz.Table(('method',), ((viz.tables.Cell('PCB'),),), 'One method.')\n"
        "    assert 'PCB' in drawn._repr_html_()\n"
        "    viz.plot_ablation(pd.DataFrame([{'method': 'PCB', 'seed': 0, 'mAP': 77.4}]))"
    )
    assert "matplotlib" in loaded
    assert "torch" not in loaded


@pytest.mark.parametrize("package", ["mfa", "viz"])
def test_help_needs_no_torch_and_no_matplotlib(package: str) -> None:
    loaded = modules_after(
        f"from {package}.cli import COMMANDS; import contextlib; import mfa.cli\n"
        "    for name in COMMANDS:\n"
        "        with contextlib.suppress(SystemExit):\n"
        f"            assert not mfa.cli.run({package!r}, COMMANDS, [name, '--help'])"
    )
    assert not loaded & {"torch", "matplotlib", "IPython", "ipywidgets"}
