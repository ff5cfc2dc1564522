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


def use(page: Any, name: str, app: Any) -> None:
    """Use the main control of an app in its cell, and wait for the change."""
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
    before = read.inner_text()
    act()
    deadline = time.monotonic() + 60
    while read.inner_text() == before:
        assert time.monotonic() < deadline, f"{name}: nothing changed"
        page.wait_for_timeout(50)
    if name == "cockpit":
        app.get_by_role("button", name="Stop", exact=True).last.click()
        app.get_by_text("not running").wait_for()


def _select(app: Any, label: str, option: str) -> None:
    app.get_by_label(label, exact=True).select_option(option)


def test_every_app_in_jupyterlab(page: Any, lab: str, screenshot: Callable[[Any], Any]) -> None:
    page.set_viewport_size({"width": 1400, "height": 3000})  # cells out of sight are not drawn
    page.goto(f"{lab}/lab/tree/apps.ipynb?reset", timeout=120_000)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
    # Before its kernel is there, a notebook takes the command to run and does nothing.
    page.get_by_text("Python 3 (ipykernel) | Idle").first.wait_for(timeout=120_000)
    page.locator(".jp-Notebook .jp-CodeCell").first.click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    apps = {
        name: page.locator(".mfa-app").filter(has_text=heading).first
        for name, (_, heading) in CELLS.items()
    }
    for app in apps.values():
        app.wait_for(timeout=120_000)
    # A control touched while the kernel still runs cells below it may not hear of it.
    page.get_by_text("Python 3 (ipykernel) | Idle").first.wait_for(timeout=120_000)
    for name, app in apps.items():
        app.scroll_into_view_if_needed()
        use(page, name, app)
        assert app.locator(".mfa-error").count() == 0, name
    screenshot(page)
    shown = [error for error in page.errors if "mfa" in error.lower() or "widget" in error.lower()]
    assert shown == []
