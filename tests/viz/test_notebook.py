"""The runner fails wherever something in a notebook failed, widgets included."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from mfa.errors import InputError
from viz.notebook import NotebookError, run_notebook

BUTTON = """
import ipywidgets as widgets
button = widgets.Button()
button.on_click(lambda _: 1 / 0)
button.click()
"""
OUTPUT = """
import ipywidgets as widgets
out = widgets.Output()
display(out)
with out:
    1 / 0
"""
INTERACT = """
import ipywidgets as widgets
widgets.interact(lambda x: 1 / 0, x=3)
"""

BAR = """
import time
from mfa.progress import reporting
with reporting(True, "drawing people") as report:
    time.sleep(1.1)  # shorter work shows no bar
    for part in range(1, 4):
        report(part / 3)
"""


def write(folder: Path, *sources: str, tags: tuple[str, ...] = ("parameters",)) -> Path:
    first = nbformat.v4.new_code_cell("epochs = 3\nname = 'a'", metadata={"tags": list(tags)})
    title = nbformat.v4.new_markdown_cell("# What happens?")
    cells = [title, first, *map(nbformat.v4.new_code_cell, sources)]
    path = folder / "sample.ipynb"
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


@pytest.mark.notebook
def test_parameters_result_and_page(tmp_path: Path) -> None:
    source = "result = {'epochs': epochs + 1, 'name': name, 'here': __import__('os').getcwd()}"
    path = write(tmp_path, source, BAR)
    before = path.read_bytes()
    ran = run_notebook(path, {"epochs": 7}, tmp_path / "out" / "page.html")
    assert ran.result == {"epochs": 8, "name": "a", "here": str(tmp_path)}
    page = (tmp_path / "out" / "page.html").read_text()
    assert "What happens?" in page
    assert "dumps(globals" not in page
    assert page.count("drawing people:") == 1  # of a bar, the last line
    (bar,) = ran.notebook.cells[-1].outputs
    assert (bar.name, "100%" in bar.text) == ("stdout", True)  # standard error is pink
    assert path.read_bytes() == before


@pytest.mark.notebook
def test_the_first_failed_cell_ends_the_run_and_is_on_the_page(tmp_path: Path) -> None:
    path = write(tmp_path, "1 / 0", "open('after', 'w')")
    with pytest.raises(NotebookError, match=r"sample\.ipynb, code cell 2: ZeroDivisionError"):
        run_notebook(path, {}, tmp_path / "page.html")
    assert "ZeroDivisionError" in (tmp_path / "page.html").read_text()
    assert not (tmp_path / "after").exists()


@pytest.mark.notebook
def test_errors_that_widgets_swallow_are_found_each(tmp_path: Path) -> None:
    path = write(tmp_path, BUTTON, OUTPUT, INTERACT, "result = {'x': object()}")
    with pytest.raises(NotebookError) as error:
        run_notebook(path)
    *widgets, last = error.value.failures
    assert len(widgets) == 3
    assert all("ZeroDivisionError" in failure for failure in widgets)
    assert "result as JSON: TypeError" in last


def test_unknown_parameters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no parameter 'epohcs'; it has epochs, name"):
        run_notebook(write(tmp_path), {"epohcs": 1})


def test_notebooks_without_parameters_cell_or_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no cell tagged 'parameters'"):
        run_notebook(write(tmp_path, tags=()))
    with pytest.raises(InputError, match="no notebook"):
        run_notebook(tmp_path / "absent.ipynb")
