"""The apps in JupyterLab itself: one notebook, every app in a cell, each used as a reader would."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import nbformat
import pytest

pytestmark = pytest.mark.ui

CELLS = {
    "ranks": ("viz.rank_explorer(run, data_root=root)", "Ranks: who was found?"),
    "attention": ("viz.attention_explorer(run, data_root=root)", "Attention: what does"),
    "branches": ("viz.branch_mixer(run, data_root=root)", "Branch mixer: what is"),
    "occlusion": ("viz.occlusion_brush(run, data_root=root)", "Occlusion brush"),
    "failures": ("viz.failure_browser(run, data_root=root)", "Failures: what do"),
    "embedding": ("viz.embedding_explorer(run, data_root=root, people=4)", "Embedding: one map"),
    "dataset": ("viz.dataset_browser(mfa.load_dataset('synthetic', root))", "Dataset browser"),
    "ablation": ("viz.ablation_explorer()", "Ablation: which module"),
    "training": ("viz.training_monitor('monitor-run', data=mfa.load_dataset('synthetic', root))",
                "Training monitor"),
    "triplets": ("viz.lessons.triplets()", "Lesson: which triplet"),
    "pk_batch": ("viz.lessons.pk_batch(mfa.load_dataset('synthetic', root))",
                 "Lesson: what is in a batch"),
    "smoothing": ("viz.lessons.smoothing()", "Lesson: why not ask"),
    "gem": ("viz.lessons.gem()", "Lesson: between the mean"),
    "bnneck": ("viz.lessons.bnneck()", "Lesson: before and after"),
    "stripes": ("viz.lessons.stripes()", "Lesson: how a branch finds"),
    "ranked_list": ("viz.lessons.ranked_list()", "Lesson: from a ranked list"),
    "reciprocal": ("viz.lessons.reciprocal()", "Lesson: neighbours who"),
}  # fmt: skip
"""Code of each cell, and the beginning of its heading."""

LATE = ("ranks", "embedding", "triplets")
"""Apps of cards, of planes, and of sliders."""

FIRST = "from pathlib import Path\nimport mfa, viz\nrun, root = {run!r}, Path({root!r})"


@pytest.fixture(scope="module")
def lab(
    browser: Any, world: Any, tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., Any]
) -> Iterator[str]:
    """The address of a notebook with a cell per app, in JupyterLab."""
    folder = tmp_path_factory.mktemp("lab")
    first = FIRST.format(run=str(world.anchored), root=str(world.root))
    cells = [first, *(code for code, _ in CELLS.values())]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "apps.ipynb")
    command = [
        *("-m", "jupyter", "lab", "--no-browser", "--allow-root"),
        *("--ServerApp.port_retries=0", "--IdentityProvider.token="),
        *(f"--ServerApp.root_dir={folder}", "--LabApp.news_url=", "--ServerApp.ip=127.0.0.1"),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with serve(command, folder / "log") as url:
        yield f"{url}/lab/tree/apps.ipynb?reset"


TOO_SLOW = "[anywidget] Failed to initialize model."
"""What anywidget says of a widget that took the page more than 2 s to make. It is none of the
user's business, since ``viz.apps.widgets.Link`` sees to such widgets."""

ALL_LATE = """
const timeout = AbortSignal.timeout;
AbortSignal.timeout = (ms) => {
  if (ms !== 2000) return timeout.call(AbortSignal, ms);
  const over = new AbortController();
  Promise.resolve().then(() => over.abort());
  return over.signal;
};
"""
"""Every one of anywidget's 2 s is over before a script can be there."""


def use(page: Any, name: str, app: Any) -> bool:
    """Use the main control of an app in its cell; whether something changed."""
    reads = {
        "ranks": (
            ".mfa-cards-label >> nth=1",
            lambda: app.locator("button.mfa-card").nth(3).click(),
        ),
        "attention": (".mfa-note >> nth=0", lambda: _select(app, "Method", "EigenCAM")),
        "branches": (".mfa-figures", lambda: app.get_by_label("branch1 on", exact=True).click()),
        "occlusion": (".mfa-bars", lambda: _select(app, "Scene", "legs hidden")),
        "failures": (".mfa-cards-label >> nth=0", lambda: _select(app, "Group", "near miss")),
        "embedding": (".mfa-note", lambda: _write(app, "People", "5")),
        "dataset": (".mfa-cards-list", lambda: _select(app, "List", "query")),
        "ablation": (".mfa-table", lambda: _select(app, "Figure", "Rank-1")),
        "training": (
            "[role=status]:has-text('epochs finished')",
            lambda: app.get_by_role("button", name="Start or resume").click(),
        ),
        "triplets": _slide(app, "Anchor", "5"),
        "pk_batch": _slide(app, "People (P)", "3"),
        "smoothing": _slide(app, "Label smoothing", "0.3"),
        "gem": _slide(app, "p", "10"),
        "bnneck": _slide(app, "What all have in common", "1"),
        "stripes": _slide(app, "Training step", "40"),
        "ranked_list": _slide(app, "Matches counted", "2"),
        "reciprocal": _slide(app, "k", "3"),
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


def _slide(app: Any, label: str, value: str) -> tuple[str, Callable[[], Any]]:
    return ".mfa-figures", lambda: _write(app, label, value)


def _write(app: Any, label: str, value: str) -> None:
    """A number beside a slider."""
    readout = app.locator(f".widget-hslider:has(label:text-is('{label}')) .widget-readout").first
    readout.fill(value)
    readout.press("Enter")


def _select(app: Any, label: str, option: str) -> None:
    app.get_by_label(label, exact=True).select_option(option)


def run_cell(page: Any, number: int) -> None:
    """Run one cell, and wait until the kernel has done it."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    cell.click()
    page.keyboard.press("Shift+Enter")
    cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for(timeout=120_000)


def use_all(page: Any, notebook: str, names: Sequence[str]) -> None:
    """Open the notebook, run the cells of some apps one by one, and use each app."""
    page.goto(notebook, timeout=120_000)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
    # Before its kernel is there, a notebook takes the command to run and does nothing.
    page.get_by_text("Python 3 (ipykernel) | Idle").first.wait_for(timeout=120_000)
    run_cell(page, 0)
    for name in names:
        app = page.locator(".mfa-app").filter(has_text=CELLS[name][1]).first
        run_cell(page, 1 + list(CELLS).index(name))
        app.wait_for(timeout=120_000)
        changed = use(page, name, app)
        assert changed, f"{name}: nothing changed in\n{app.inner_text()}\n{page.errors}"
        assert app.locator(".mfa-error").count() == 0, name
        if name == "training":
            app.get_by_role("button", name="Stop training", exact=True).click()
            app.get_by_text("not running").wait_for()


def of_widgets(errors: Sequence[str]) -> list[str]:
    """Those of JupyterLab's many messages that are about widgets, late ones left out."""
    ours = [error for error in errors if "mfa" in error.lower() or "widget" in error.lower()]
    return [error for error in ours if error != TOO_SLOW]


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    return new_page(viewport={"width": 1400, "height": 3000})  # cells out of sight are not drawn


def test_every_app_in_jupyterlab(page: Any, lab: str, screenshot: Callable[[Any], None]) -> None:
    use_all(page, lab, tuple(CELLS))
    screenshot(page)
    assert of_widgets(page.errors) == []
    page.close()


def test_widgets_a_busy_page_made_too_late_are_alive(page: Any, lab: str) -> None:
    page.add_init_script(ALL_LATE)
    use_all(page, lab, LATE)
    assert TOO_SLOW in page.errors  # else this test has tried nothing
    assert of_widgets(page.errors) == []
