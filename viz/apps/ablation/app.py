"""Ablation: which modules help, published and measured, with spread and a paired test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd

from mfa.ablation.paired_tests import RowTest, compare_rows, saved_results
from mfa.errors import InputError
from viz import theme
from viz.apps.ablation.code import code_of, plan_of
from viz.apps.ablation.state import METRICS, AblationState
from viz.apps.core import app, controls, html
from viz.apps.core.images import saved as as_file
from viz.apps.core.worker import Job
from viz.apps.widgets import Picture
from viz.charts.ablation import plot_ablation
from viz.paper.published import DATA, cell, published_of, read_rows, spread, title
from viz.tables import EMPTY, Cell, Table

NEEDED = ("row", "seed", "dataset", "mAP")
PLANS = {
    "table3": "modules (Table 3)",
    "table2": "where CPAA goes (Table 2)",
    "variants": "variants of the network",
    "peers": "compared methods",
    "modules": "modules, from one trunk",
    "default": "default and baseline",
}
"""What the repository's plans compare, the one to begin with first."""


@dataclass(frozen=True)
class Shown:
    """Chart as PNG and PDF, table for the page and in LaTeX, and what it says."""

    png: bytes
    pdf: bytes
    rows: list[list[str]]
    latex: str
    caption: str


class Ablation(app.App[AblationState, Shown]):
    """See ``viz.ablation_explorer``."""

    name = "ablation"
    heading = "Ablation: which module helps?"

    def __init__(self, rows: pd.DataFrame, folders: Sequence[Path], state: AblationState) -> None:
        super().__init__(state)
        self.rows, self.folders = rows, tuple(folders)
        self._tests: dict[tuple[str, ...], dict[str, RowTest]] = {}
        names = list(dict.fromkeys(rows["dataset"]))
        methods = self._methods(state)
        self.dataset = controls.choice("Dataset", [(title(name), name) for name in names])
        self.plan = controls.choice("Rows of", self._plans(state.dataset))
        self.metric = controls.choice("Figure", METRICS)
        self.reference = controls.choice("Test against", methods)
        self.published = controls.tick("Published figures")
        self.methods = ipywidgets.SelectMultiple(
            description="Only (none chosen: all)",
            tooltip="Ctrl or Shift for several; none chosen: all",
            options=methods,
            rows=min(7, len(methods)),
            style=controls.LABEL,
            layout=controls.WIDE,
        )
        self.chart = Picture(height=0)
        self.table, self.links = ipywidgets.HTML(), ipywidgets.HTML()
        self.latex = ipywidgets.Textarea(
            description="LaTeX", rows=6, layout={"width": "100%", "max_width": "60em"}
        )
        self.bind("dataset", self.dataset, plan="", methods=(), reference="")
        self.on(self.plan, lambda change: self.set(plan=change["new"], methods=(), reference=""))
        self.bind("metric", self.metric)
        self.bind("methods", self.methods)
        self.bind("published", self.published)
        self.on(self.reference, lambda change: self.set(reference=change["new"] or ""))
        chosen = [controls.title("Rows"), self.dataset, self.plan, self.methods]
        tests = [controls.title("Figure and test"), self.metric, self.reference, self.published]
        self.start([*chosen, *tests], self.chart, self.links, self.table, self.latex)

    def render(self, state: AblationState, job: Job) -> Shown:
        """Draw, test, tabulate."""
        methods = self._methods(state)
        for name in (*state.methods, *filter(None, [state.reference])):
            if name not in methods:
                raise InputError(f"there is no row {name!r}", f"rows are {', '.join(methods)}")
        ours = self._measured(state)
        if state.metric not in ours or ours[state.metric].isna().all():
            raise InputError(f"the rows of {state.dataset} have no {state.metric}")
        if state.methods:
            ours = ours[ours["row"].isin(state.methods)]
        theirs = published_of(ours, state.dataset, state.metric)
        quoted = theirs if state.published else theirs.iloc[:0]
        names = list(dict.fromkeys(ours["row"]))
        tests = self._compared(state, job)
        with theme.theme():
            axes = plot_ablation(
                ours.rename(columns={"row": "method"}),
                theirs if state.published else None,
                metric=state.metric,
                p_values={name: held.p_value for name, held in tests.items()},
                reference=state.reference or names[0],
                test=", ".join(dict.fromkeys(held.test for held in tests.values())),
                ax=theme.axes(None, 6.0, 0.42 * max(3, len(names) + len(theirs)) + 0.9),
            )
            figure = theme.figure_of(axes)
            png, pdf = as_file(figure, "png"), as_file(figure, "pdf")
        table = _tabulate(ours, quoted, state, tests)
        rows = [[cell.text or "–" for cell in row] for row in table.rows]
        latex = table.to_latex("tab:ablation")
        return Shown(png, pdf, [list(table.columns), *rows], latex, table.caption)

    def show(self, state: AblationState, shown: Shown) -> None:
        """Fill the widgets."""
        methods, plans = self._methods(state), self._plans(state.dataset)
        if tuple(self.methods.options) != tuple(methods):
            self.methods.options = methods
            self.methods.rows = min(7, len(methods))
            self.reference.options = methods
        if tuple(self.plan.options) != tuple(plans):
            self.plan.options = plans
        self.plan.value = state.plan or plans[0][1]
        self.plan.layout.display = "none" if len(plans) == 1 else ""
        self.methods.value = tuple(name for name in state.methods if name in methods)
        self.reference.value = state.reference or methods[0]
        self.chart.image = shown.png
        self.chart.label = f"{_figure(state)} on {title(state.dataset)}, as in the table below"
        headings, *rows = shown.rows
        caption = f"{shown.caption} A dash: not measured, not published, or no test recorded."
        self.table.value = html.table(headings, rows, caption)
        self.latex.value = shown.latex
        latex, kind = shown.latex.encode(), "application/pdf"
        self.links.value = html.download(
            shown.pdf, "ablation.pdf", kind, "Save the chart (PDF)"
        ) + html.download(latex, "ablation.tex", "text/plain", "Save the table (LaTeX)")

    def code(self) -> str:
        """See ``App.code``."""
        state = self.state
        return code_of(state, self._measured(state), self.rows.attrs.get("files", ()), self.folders)

    def _plans(self, dataset: str) -> list[tuple[str, str]]:
        """Words and names of the plans measured on a dataset, the one to begin with first."""
        there = set(self.rows["plan"][self.rows["dataset"] == dataset])
        names = [name for name in PLANS if name in there] + sorted(there - {*PLANS})
        return [(PLANS.get(str(name), str(name)), str(name)) for name in names]

    def _measured(self, state: AblationState) -> pd.DataFrame:
        """All measured rows of the state's plan."""
        plans = [name for _, name in self._plans(state.dataset)]
        if not plans:
            raise InputError(f"no row was measured on {state.dataset}", "mfa ablate writes them")
        plan = state.plan or plans[0]
        if plan not in plans:
            raise InputError(f"there is no plan {plan!r}", f"plans are {', '.join(plans)}")
        return self.rows[(self.rows["dataset"] == state.dataset) & (self.rows["plan"] == plan)]

    def _methods(self, state: AblationState) -> list[str]:
        return list(dict.fromkeys(self._measured(state)["row"]))

    def _compared(self, state: AblationState, job: Job) -> dict[str, RowTest]:
        """Every row held against the reference."""
        key = (state.dataset, state.plan, state.reference, state.metric)
        if key not in self._tests:
            rows, results = self._measured(state), saved_results(self.folders)
            progress = partial(job.progress, words="paired tests")
            reference = state.reference or str(rows["row"].iloc[0])
            self._tests[key] = compare_rows(rows, reference, results, state.metric, progress)
        return self._tests[key]


def _figure(state: AblationState) -> str:
    """What people call the metric."""
    return next(name for name, column in METRICS.items() if column == state.metric)


def _tabulate(
    ours: pd.DataFrame, theirs: pd.DataFrame, state: AblationState, tests: dict[str, RowTest]
) -> Table:
    """Measured mean and spread, published figure and paired test of every row."""
    rows: list[tuple[Cell, ...]] = []
    for name in dict.fromkeys([*ours["row"], *theirs["method"]]):
        values = ours.loc[ours["row"] == name, state.metric]
        quoted = theirs[theirs["method"] == name]
        seeds = Cell(f"{values.notna().sum()}", "measured") if len(values) else EMPTY
        published = cell(quoted.iloc[0], state.metric) if len(quoted) else EMPTY
        held = tests.get(str(name))
        words = EMPTY if held is None else Cell(held.words, "measured")
        rows.append((Cell(str(name)), spread(values), seeds, published, words))
    reference = state.reference or (str(ours["row"].iloc[0]) if len(ours) else "")
    return Table(
        ("row", "measured", "seeds", "published", f"against {reference}"),
        tuple(rows),
        f"{_figure(state)} on {title(state.dataset)} in per cent: mean and standard deviation over "
        "seeds; difference, with its 95 % interval over identities where it is of one seed; "
        "p: sign flips by identity for one seed, t-test over several; not corrected.",
        best={"measured": "max"},
    )


def ablation_explorer(
    rows: pd.DataFrame | Path | str | None = None, *, runs: Sequence[Path | str] = (), **state: Any
) -> Ablation:
    """Compare the rows of an ablation, published and measured.

    Args:
        rows: measured rows as ``mfa ablate`` writes them: a table, a file, or a folder of files;
            by default those of the repository.
        runs: folders of run folders with their ``result.json``, for paired tests; a file's own
            folder is looked through as well.
        **state: fields of ``AblationState`` to begin with, e.g. ``metric="rank1"``.

    Raises:
        InputError: no rows.
    """
    folders = [Path(folder) for folder in runs]
    if not isinstance(rows, pd.DataFrame):
        where = DATA / "results" if rows is None else Path(rows)
        files = sorted(where.glob("*.csv")) if where.is_dir() else [where]
        tables = {path: read_rows(path) for path in files if path.is_file()}
        # A folder may hold other tables as well; one file that was named must be of rows.
        found = [path for path in tables if not where.is_dir() or {*NEEDED} <= {*tables[path]}]
        if not found:
            raise InputError(f"no measured rows at {where}; mfa ablate --rows FILE writes them")
        named = [tables[path].assign(plan=plan_of(path)) for path in found]
        rows = pd.concat(named, ignore_index=True)
        rows.attrs["files"] = [str(path) for path in found]
        folders += sorted({path.parent for path in found})
    for column in NEEDED:
        if column not in rows:
            raise InputError(f"the rows have no column {column!r}; write them by mfa ablate")
    state.setdefault("dataset", str(rows["dataset"].mode().iloc[0]))
    if "plan" not in rows:
        rows = rows.assign(plan="")
    return Ablation(rows, folders, AblationState(**state))
