"""What a notebook may hold: short cells that call the packages, and nothing it printed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OURS = {"mfa", "viz"}
STANDARD = {"dataclasses", "pathlib", "shutil"}
IMPORTS = OURS | STANDARD | {"numpy", "pandas", "torch", "matplotlib", "seaborn", "IPython"}

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def nodes(path: Path) -> Iterator[ast.AST]:
    for cell in code(path):
        yield from ast.walk(ast.parse(cell.source))


def test_it_is_valid_and_for_the_plain_kernel(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}


def test_it_stores_no_output(path: Path) -> None:
    for cell in code(path):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_it_opens_with_the_question_it_answers(path: Path) -> None:
    first = read(path).cells[0]
    assert first.cell_type == "markdown"
    title = first.source.splitlines()[0]
    assert title.startswith("# ")
    assert title.endswith("?")


def test_its_first_code_cell_holds_the_parameters_as_plain_values(path: Path) -> None:
    first = code(path)[0]
    assert first.metadata.tags == ["parameters"]
    for statement in ast.parse(first.source).body:
        assert isinstance(statement, ast.Assign)
        ast.literal_eval(statement.value)


def test_its_cells_are_short_and_few(path: Path) -> None:
    cells = code(path)
    assert len(cells) <= 28
    assert max(len(cell.source.splitlines()) for cell in cells) <= 15


def test_it_defines_short_functions_alone_and_imports_little(path: Path) -> None:
    for node in nodes(path):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.ClassDef)
        if isinstance(node, ast.FunctionDef):  # ten lines that show what a term means
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno <= 10
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= IMPORTS
        if isinstance(node, ast.ImportFrom):
            assert str(node.module).split(".")[0] in IMPORTS


def test_it_ends_with_questions_and_folded_answers(path: Path) -> None:
    last = read(path).cells[-1].source
    assert last.count("<details>") == last.count("</details>") >= 2


def test_it_names_no_place_of_this_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in ("/work", "/root", "/home/", "/tmp", "C:\\\\"):
        assert word not in text
