"""The apps in JupyterLab itself: one notebook, every app in a cell, each used as a reader would."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = pytest.mark.ui

CELLS = {
    "ranks": ("viz.apps.ranks(run, data_root=root)", "Ranks: who was found?"),
    "attention": ("viz.apps.attention(run, data_root=root)", "Attention: what does"),
    "switchboard": ("viz.apps.switchboard(run, data_root=root)", "Switchboard: what is"),
    "occlusion": ("viz.apps.occlusion(run, data_root=root)", "Occlusion brush"),
    "failures": ("viz.apps.failures(run, data_root=root)", "Failures: what do"),
    "embedding": ("viz.apps.embedding(run, data_root=root, people=4)", "Embedding: who lies"),
    "browser": ("viz.apps.browser(mfa.load_dataset('synthetic', root))", "Dataset browser"),
    "ablation": ("viz.apps.ablation()", "Ablation: which module"),
    "cockpit": ("viz.apps.cockpit('cockpit-run', data=mfa.load_dataset('synthetic', root))",
                "Training cockpit"),
    "triplets": ("viz.apps.lessons.triplets()", "Lesson: which triplet"),
}  # fmt: skip
"""Code of each cell, and the beginning of its heading."""


@pytest.fixture(scope="module")
def lab(
    served: Path, tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., Any], port: int,
    chromium: str,
) -> Iterator[str]:  # fmt: skip
    folder = tmp_path_factory.mktemp("lab")
    first = (
        "from pathlib import Path\nimport mfa, viz\n"
        f"run, root = {str(served / 'anchored')!r}, Path({str(served / 'data')!r})"
    )
    cells = [first, *(code for code, _ in CELLS.values())]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "apps.ipynb")
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
        *(f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="),
        *(f"--ServerApp.root_dir={folder}", "--LabApp.news_url=", "--ServerApp.ip=127.0.0.1"),
        *("--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",),
    ]
    with serve(command, port, folder / "log") as url:
        yield url


TOO_SLOW = "[anywidget] Failed to initialize model."
"""The page has 2 s to make a widget; one that took longer is never updated again. On a busy machine
a cell must then be run again, as docs/apps.md tells its readers."""

TRIES = 3


def use(page: Any, name: str, app: Any) -> bool:
    """Use the main control of an app in its cell; whether something changed."""
    reads = {
        "ranks": (
            ".mfa-cards-label >> nth=1",
            lambda: app.locator("button.mfa-card").nth(3).click(),
        ),
        "attention": (".mfa-note >> nth=0", lambda: _select(app, "Method", "EigenCAM")),
        "switchboard": (".mfa-figures", lambda: app.get_by_label("branch1 on", exact=True).click()),
        "occlusion": (".mfa-bars", lambda: _select(app, "Scene", "legs hidden")),
        "failures": (".mfa-cards-label >> nth=0", lambda: _select(app, "Group", "near miss")),
        "embedding": (".mfa-note", lambda: app.get_by_label("People", exact=True).fill("5")),
        "browser": (".mfa-cards-list", lambda: _select(app, "List", "query")),
        "ablation": (".mfa-table", lambda: _select(app, "Figure", "Rank-1")),
        "cockpit": ("[role=status] >> nth=0", lambda: app.get_by_text("Start or resume").click()),
        "triplets": (".mfa-figures", lambda: app.get_by_label("Anchor", exact=True).fill("5")),
    }
    selector, act = reads[name]
    read = app.locator(selector).first
    deadline = time.monotonic() + 30
    while not (before := read.inner_text()) and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    if not before:
        return False
    act()
    while read.inner_text() == before and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    return bool(read.inner_text() != before)


def _select(app: Any, label: str, option: str) -> None:
    app.get_by_label(label, exact=True).select_option(option)


def run_cell(page: Any, number: int) -> None:
    """Run one cell, and wait until the kernel has done it."""
    page.locator(".jp-Notebook .jp-CodeCell").nth(number).click()
    page.keyboard.press("Shift+Enter")
    page.wait_for_timeout(300)
    page.get_by_text("Python 3 (ipykernel) | Idle").first.wait_for(timeout=120_000)


def test_every_app_in_jupyterlab(page: Any, lab: str, screenshot: Callable[[Any], Any]) -> None:
    page.set_viewport_size({"width": 1400, "height": 3000})  # cells out of sight are not drawn
    page.goto(f"{lab}/lab/tree/apps.ipynb?reset", timeout=120_000)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
    # Before its kernel is there, a notebook takes the command to run and does nothing.
    page.get_by_text("Python 3 (ipykernel) | Idle").first.wait_for(timeout=120_000)
    run_cell(page, 0)
    for number, (name, (_, heading)) in enumerate(CELLS.items(), start=1):
        app = page.locator(".mfa-app").filter(has_text=heading).first
        for _ in range(TRIES):
            run_cell(page, number)
            app.wait_for(timeout=120_000)
            if use(page, name, app):
                break
        else:
            raise AssertionError(f"{name}: nothing changed in\n{app.inner_text()}\n{page.errors}")
        assert app.locator(".mfa-error").count() == 0, name
        if name == "cockpit":
            app.get_by_role("button", name="Stop", exact=True).last.click()
            app.get_by_text("not running").wait_for()
    screenshot(page)
    shown = [
        error
        for error in page.errors
        if ("mfa" in error.lower() or "widget" in error.lower()) and error != TOO_SLOW
    ]
    assert shown == []
