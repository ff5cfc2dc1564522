"""Run a notebook from start to end with other parameters, and believe it only if nothing failed.

Used by ``mfa-viz demo`` and by the tests, so that the page a reader sees is what was tested.
papermill sets the parameters and runs the cells. An error inside a widget leaves its cell green, so
the widgets' outputs are read too.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfa.errors import InputError

RESULT = "result"
"""Name a notebook binds to what it found: numbers and words that JSON can hold."""

ANSI = re.compile(r"\x1b\[[0-9;]*m")
"""Terminal colours in IPython's tracebacks."""


class NotebookError(RuntimeError):
    """Cells or widgets of a notebook failed.

    Attributes:
        failures: for each, where it was, what, and the end of its traceback.
    """

    def __init__(self, name: str, failures: list[str]) -> None:
        super().__init__("\n".join(f"{name}, {failure}" for failure in failures))
        self.failures = failures


@dataclass(frozen=True)
class NotebookRun:
    """An executed notebook.

    Attributes:
        notebook: the nbformat node, outputs included.
        result: what the notebook bound to ``result``; empty where it bound nothing.
        seconds: wall time.
    """

    notebook: Any
    result: dict[str, Any]
    seconds: float


def run_notebook(
    path: Path,
    parameters: Mapping[str, Any] | None = None,
    out_html: Path | None = None,
    *,
    progress: bool = False,
    timeout: int = 3600,
) -> NotebookRun:
    """Execute ``path`` by papermill, in a fresh kernel of this Python and the notebook's folder.

    Args:
        path: the notebook.
        parameters: values for names its ``parameters`` cell assigns.
        out_html: where the executed notebook goes as a page; nothing is written without it.
        progress: show papermill's bar, one step per cell.
        timeout: seconds one cell may take.

    Raises:
        InputError: no such notebook, no ``parameters`` cell, or a parameter it does not have.
        NotebookError: a cell or a widget failed. The page is written all the same.
    """
    import nbformat
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor

    if not path.is_file():
        raise InputError(f"no notebook {path}; it is part of the repository, not of the package")
    _check(path, parameters or {})
    notebook = nbformat.read(path, as_version=4)
    probe = nbformat.v4.new_code_cell(f"print(__import__('json').dumps(globals().get({RESULT!r})))")
    notebook.cells.append(probe)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / path.name
        try:
            papermill.execute_notebook(
                notebook,
                kept,
                {n: list(v) if isinstance(v, tuple) else v for n, v in (parameters or {}).items()},
                kernel_name="python3",
                progress_bar=progress,
                cwd=path.parent.resolve(),
                execution_timeout=timeout,
                # Without this the kernel warns on every start that it listens by TCP.
                extra_arguments=["--log-level=ERROR"],
            )
        except papermill.PapermillExecutionError:
            pass  # the cell holds its error and is found below, on the page too
        except (CellTimeoutError, DeadKernelError) as error:
            raise NotebookError(path.name, [str(error)]) from error
        notebook = nbformat.read(kept, as_version=4)
        CoalesceStreamsPreprocessor().preprocess(notebook, {})  # of a bar, the last line stays
    seconds = time.monotonic() - started
    outputs = notebook.cells.pop().outputs
    if out_html is not None:
        write_html(notebook, out_html, title=path.stem)
    failures = [*errors(notebook), *(f"{RESULT} as JSON: {e}" for e in errors_of(outputs))]
    if failures:
        raise NotebookError(path.name, failures)
    return NotebookRun(notebook, json.loads(outputs[0].text) or {}, seconds)


def _check(path: Path, parameters: Mapping[str, Any]) -> None:
    """The notebook has a cell of parameters, and these are among them."""
    import papermill

    known = papermill.inspect_notebook(str(path))
    if not known:
        raise InputError(f"{path} has no cell tagged 'parameters'")
    for name in parameters:
        if name not in known:
            raise InputError(f"{path} has no parameter {name!r}; it has {', '.join(known)}")


def errors(notebook: Any) -> Iterator[str]:
    """Every failure an executed notebook holds: of cells first, then of its widgets' outputs."""
    number = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            number += 1
            for text in errors_of(cell.outputs):
                yield f"code cell {number}: {text}"
    states = notebook.metadata.get("widgets", {}).values()
    for state in states:
        for model in state.get("state", {}).values():
            for text in errors_of(model.get("state", {}).get("outputs", ())):
                yield f"a widget: {text}"


def errors_of(outputs: Any) -> Iterator[str]:
    """The failures among one cell's or widget's outputs: ``Name: message``, then the traceback.

    ipywidgets prints the traceback of a failed click handler to the cell's stderr and goes on, so
    a traceback there counts.
    """
    for output in outputs:
        if output["output_type"] == "error":
            trace = ANSI.sub("", "\n".join(output.get("traceback", ())[-6:]))
            yield f"{output['ename']}: {output['evalue']}\n{trace}"
        elif output.get("name") == "stderr" and "Traceback (most recent" in output["text"]:
            yield output["text"].strip()


def write_html(notebook: Any, path: Path, title: str) -> None:
    """Write an executed notebook as one HTML page with its pictures; it loads nothing.

    Apps show the picture that stands below each, so the page takes no states of live widgets.
    """
    from nbconvert import HTMLExporter

    metadata = {name: value for name, value in notebook.metadata.items() if name != "widgets"}
    notebook = type(notebook)(notebook | {"metadata": type(notebook)(metadata)})
    # Scripts for formulas, diagrams and live widgets, which a finished page has no use for.
    scripts = ("mathjax_url", "require_js_url", "jquery_url", "mermaid_js_url")
    exporter = HTMLExporter(embed_images=True, **dict.fromkeys(scripts, ""))
    body, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body, encoding="utf-8")
