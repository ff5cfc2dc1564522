"""The apps in JupyterLab itself: one notebook, every app in a cell, each used as a reader would."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import nbformat
import pytest

from viz.apps.core.snapshot import REST

pytestmark = pytest.mark.ui

Act = Callable[[Any], Any]


def press(selector: str) -> Act:
    return lambda app: app.locator(selector).first.click()


def tick(label: str) -> Act:
    return lambda app: app.get_by_label(label, exact=True).click()


def select(label: str, option: str) -> Act:
    return lambda app: app.get_by_label(label, exact=True).select_option(option)


def slide(label: str, value: str) -> Act:
    """Write a number beside a slider."""

    def act(app: Any) -> None:
        slider = f".widget-hslider:has(label:text-is('{label}'))"
        readout = app.locator(f"{slider} .widget-readout").first
        readout.fill(value)
        readout.press("Enter")

    return act


NUMBERS, LABEL, NOTE = ".mfa-figures", ".mfa-cards-label", ".mfa-note"
TRAINING, STATUS = "Training monitor", "[role=status]:has-text('epochs finished')"
CARD = "button.mfa-card >> nth=3"
RUN, DATA = "(run, data_root=root)", "mfa.load_dataset('synthetic', root)"
CELLS = {
    "Ranks: who was found?": (f"rank_explorer{RUN}", f"{LABEL} >> nth=1", press(CARD)),
    "Attention: what does": (f"attention_explorer{RUN}", NOTE, select("Method", "EigenCAM")),
    "Branch mixer: what is": (f"branch_mixer{RUN}", NUMBERS, tick("branch1 on")),
    "Occlusion brush": (f"occlusion_brush{RUN}", ".mfa-bars", select("Scene", "legs hidden")),
    "Failures: what do": (f"failure_browser{RUN}", LABEL, select("Group", "near miss")),
    "Threshold": (f"threshold_chooser{RUN}", NUMBERS, select("False accepts", "1 pair in 10")),
    "Embedding: one map": (f"embedding_explorer{RUN}", NOTE, slide("People", "5")),
    "Dataset browser": (f"dataset_browser({DATA})", ".mfa-cards-list", select("List", "query")),
    "Ablation: which module": ("ablation_explorer()", ".mfa-table", select("Figure", "Rank-1")),
    TRAINING: (f"training_monitor('its-run', data={DATA})", STATUS, press("text=Start or resume")),
    "Lesson: which triplet": ("lessons.triplets()", NUMBERS, slide("Anchor", "5")),
    "Lesson: what is in a batch": (f"lessons.pk_batch({DATA})", NUMBERS, slide("People (P)", "3")),
    "Lesson: from a ranked list": ("lessons.ranked_list()", NUMBERS, slide("Matches counted", "2")),
}  # fmt: skip
"""Beginning of each app's heading: its call, what its main control changes, and its use.
Lessons are made alike: three of them stand for all."""

LATE = ("Ranks: who was found?", "Embedding: one map", "Lesson: which triplet")
"""Apps of cards, of planes, and of sliders."""

FIRST = "from pathlib import Path\nimport mfa, viz\nrun, root = {run!r}, Path({root!r})"


@pytest.fixture(scope="module")
def lab(
    browser: Any, world: Any, tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., Any]
) -> Iterator[str]:
    """The address of a notebook with a cell per app, in JupyterLab."""
    folder = tmp_path_factory.mktemp("lab")
    first = FIRST.format(run=str(world.anchored), root=str(world.root))
    cells = [first, *(f"viz.{call}" for call, _, _ in CELLS.values())]
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


def use(page: Any, app: Any, selector: str, act: Act) -> bool:
    """Use the main control of an app in its cell; whether something changed."""
    read = app.locator(selector).first
    deadline = time.monotonic() + 30
    while not (before := read.inner_text()) and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    act(app)
    while read.inner_text() == before and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    return bool(before and read.inner_text() != before)


def run_cell(page: Any, number: int) -> None:
    """Run one cell, and wait until the kernel has done it."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    cell.click()
    page.keyboard.press("Shift+Enter")
    cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for(timeout=120_000)


def use_all(page: Any, notebook: str, headings: Sequence[str]) -> None:
    """Open the notebook, run the cells of some apps one by one, and use each app."""
    page.goto(notebook, timeout=120_000)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
    # Before its kernel is there, a notebook takes the command to run and does nothing.
    page.get_by_text("Python 3 (ipykernel) | Idle").first.wait_for(timeout=120_000)
    run_cell(page, 0)
    for heading in headings:
        app = page.locator(".mfa-app").filter(has_text=heading).first
        run_cell(page, 1 + list(CELLS).index(heading))
        app.wait_for(timeout=120_000)
        changed = use(page, app, *CELLS[heading][1:])
        assert changed, f"{heading}: nothing changed in\n{app.inner_text()}\n{page.errors}"
        assert app.locator(".mfa-error").count() == 0, heading
        if heading == TRAINING:
            app.get_by_role("button", name="Stop training", exact=True).click()
            app.get_by_text("not running").wait_for()


def of_widgets(errors: Sequence[str]) -> list[str]:
    """Those of JupyterLab's many messages that are about widgets, late ones left out."""
    ours = [error for error in errors if "mfa" in error.lower() or "widget" in error.lower()]
    return [error for error in ours if error != TOO_SLOW]


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    return new_page(viewport={"width": 1400, "height": 3000})  # cells out of sight are not drawn


def test_every_app_in_jupyterlab(
    page: Any, lab: str, new_page: Callable[..., Any], screenshot: Callable[[Any], None]
) -> None:
    use_all(page, lab, tuple(CELLS))
    screenshot(page)
    assert of_widgets(page.errors) == []
    page.wait_for_timeout(1000 * (REST + 1))
    picture = page.locator("[class^=mfa-still] :text('Anchor: 5')")
    assert picture.count() == 1
    assert not picture.is_visible()  # the living app hides it
    with page.expect_response(
        lambda answer: "contents/apps" in answer.url and answer.request.method == "PUT"
    ):
        page.keyboard.press("Control+s")
    page.close()
    exported = new_page()
    exported.goto(lab.replace("lab/tree", "nbconvert/html").removesuffix("?reset"), referer=lab)
    assert exported.locator(":text('Anchor: 5')").is_visible()  # as it was left
    assert exported.locator(".mfa-app h2").count() == len(CELLS)
    exported.close()


def test_widgets_a_busy_page_made_too_late_are_alive(page: Any, lab: str) -> None:
    page.add_init_script(ALL_LATE)
    use_all(page, lab, LATE)
    assert TOO_SLOW in page.errors  # else this test has tried nothing
    assert of_widgets(page.errors) == []
