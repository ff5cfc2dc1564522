"""Ablation: which modules help, published and measured, with spread and a paired test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.results import RetrievalResult
from mfa.statistics import PairedTest, paired_test
from viz import style
from viz.apps import base, markup
from viz.apps.images import saved
from viz.apps.widgets import Picture
from viz.apps.worker import Job
from viz.charts import ablation_bars
from viz.figures.published import ABLATION_NAMES, DATA, cell, published, spread, title
from viz.tables import EMPTY, Cell, Table

NEEDED = ("row", "seed", "dataset", "mAP")
METRICS = {"mAP": "mAP", "Rank-1": "rank1", "mINP": "mINP"}


@dataclass(frozen=True)
class AblationState:
    """What the app shows.

    Attributes:
        dataset: its name in the rows.
        metric: ``mAP``, ``rank1`` or ``mINP``.
        methods: rows shown; empty for all.
        reference: row the others are tested against; the first one where empty.
        published: draw published figures, too.
    """

    dataset: str
    metric: str = "mAP"
    methods: tuple[str, ...] = ()
    reference: str = ""
    published: bool = True


@dataclass(frozen=True)
class Shown:
    """Chart as PNG and PDF, table for the page and in LaTeX."""

    png: bytes
    pdf: bytes
    rows: list[list[str]]
    latex: str


class Ablation(base.App[AblationState, Shown]):
    """See ``viz.apps.ablation``."""

    name = "ablation"
    heading = "Ablation: which module helps?"

    def __init__(self, rows: pd.DataFrame, folders: Sequence[Path], state: AblationState) -> None:
        super().__init__(state)
        self.rows, self.folders = rows, tuple(folders)
        self._tests: dict[tuple[str, str, str, str], PairedTest | None] = {}
        names = list(dict.fromkeys(rows["dataset"]))
        self.dataset = base.choice("Dataset", [(title(name), name) for name in names])
        self.metric = base.choice("Figure", METRICS)
        self.reference = base.choice("Test against", self._methods(state.dataset))
        self.published = base.tick("published figures")
        self.methods = ipywidgets.SelectMultiple(
            description="Rows", options=self._methods(state.dataset), rows=6,
            layout={"width": "24em", "max_width": "100%"},
        )  # fmt: skip
        self.chart = Picture(height=0)
        self.table, self.links = ipywidgets.HTML(), ipywidgets.HTML()
        self.latex = ipywidgets.Textarea(
            description="LaTeX", rows=6, layout={"width": "100%", "max_width": "60em"}
        )
        self.on(self.dataset, lambda change: self.set(dataset=change["new"], methods=(),
                                                      reference=""))  # fmt: skip
        self.bind("metric", self.metric)
        self.bind("methods", self.methods)
        self.bind("published", self.published)
        self.on(self.reference, lambda change: self.set(reference=change["new"] or ""))
        self.start(
            base.row([self.dataset, self.metric, self.reference, self.published]),
            self.methods,
            self.chart,
            self.links,
            self.table,
            self.latex,
        )

    def render(self, state: AblationState, job: Job) -> Shown:
        """Draw, test, tabulate."""
        ours, theirs = self.chosen(state)
        tests = {}
        names = list(dict.fromkeys(ours["row"]))
        for number, name in enumerate(names):
            job.progress(number / max(len(names), 1), "paired tests")
            tests[name] = self._test(ours, state, name)
        p_values = {name: test.p_value for name, test in tests.items() if test is not None}
        with base.DRAWING, style.theme():
            axes = ablation_bars(
                ours.rename(columns={"row": "method"}),
                theirs if state.published else None,
                metric=state.metric,
                p_values=p_values,
                ax=style.axes(None, 6.0, 0.42 * max(3, len(names) + len(theirs)) + 0.9),
            )
            figure = style.figure_of(axes)
            png, pdf = saved(figure, "png"), saved(figure, "pdf")
        table = tabulate(ours, theirs if state.published else theirs.iloc[:0], state, tests)
        rows = [[cell.text or "–" for cell in row] for row in table.rows]
        return Shown(png, pdf, [list(table.columns), *rows], table.to_latex("tab:ablation"))

    def show(self, state: AblationState, shown: Shown) -> None:
        """Fill the widgets."""
        methods = self._methods(state.dataset)
        if tuple(self.methods.options) != tuple(methods):
            self.methods.options = methods
            self.reference.options = methods
        self.methods.value = tuple(name for name in state.methods if name in methods)
        self.dataset.value = state.dataset
        self.reference.value = state.reference or methods[0]
        self.chart.image = shown.png
        self.chart.label = f"{state.metric} of every row on {title(state.dataset)}, see the table"
        headings, *rows = shown.rows
        self.table.value = markup.table(headings, rows)
        self.latex.value = shown.latex
        self.links.value = markup.download(
            shown.pdf, "ablation.pdf", "application/pdf", "Save the chart (PDF)"
        ) + markup.download(
            shown.latex.encode(), "ablation.tex", "text/plain", "Save the table (LaTeX)"
        )

    def chosen(self, state: AblationState) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Measured and published rows of a state.

        Raises:
            InputError: nothing was measured on that dataset.
        """
        ours = self.rows[self.rows["dataset"] == state.dataset]
        if ours.empty:
            raise InputError(f"no row was measured on {state.dataset}; mfa ablate writes them")
        if state.metric not in ours or ours[state.metric].isna().all():
            raise InputError(f"the rows of {state.dataset} have no {state.metric}")
        theirs = published()
        theirs = theirs[(theirs["kind"] == "ablation") & (theirs["dataset"] == state.dataset)]
        theirs = theirs.replace({"method": ABLATION_NAMES})
        if state.metric not in theirs:
            theirs = theirs.iloc[:0].assign(**{state.metric: []})
        if state.methods:
            ours = ours[ours["row"].isin(state.methods)]
        return ours, theirs

    def code(self) -> str:
        """See ``App.code``."""
        state = self.state
        kept = f"ours = ours[ours['row'].isin({list(state.methods)!r})]\n" if state.methods else ""
        files = self.rows.attrs.get("files")
        read = (
            f"ours = pd.concat([pd.read_csv(path) for path in {files!r}])\n"
            if files
            else f"ours = pd.DataFrame({self.rows.to_dict('list')!r})\n"
        )
        theirs = (
            "theirs = published()\n"
            "theirs = theirs[(theirs['kind'] == 'ablation') "
            f"& (theirs['dataset'] == {state.dataset!r})]\n"
            if state.published
            else "theirs = None\n"
        )
        return (
            "import pandas as pd\n\nimport viz\nfrom viz.figures.published import published\n\n"
            f"{read}ours = ours[ours['dataset'] == {state.dataset!r}]\n{kept}{theirs}"
            "axes = viz.ablation_bars(ours.rename(columns={'row': 'method'}), theirs, "
            f"metric={state.metric!r})\nfigure = axes.get_figure()\n"
        )

    def _methods(self, dataset: str) -> list[str]:
        rows = self.rows
        return list(dict.fromkeys(rows["row"][rows["dataset"] == dataset]))

    def _test(self, ours: pd.DataFrame, state: AblationState, name: str) -> PairedTest | None:
        """The paired test of a row against the reference, where both queries tables are there."""
        reference = state.reference or str(ours["row"].iloc[0])
        if name == reference:
            return None
        metric = "rank1" if state.metric == "rank1" else "AP"
        key = (state.dataset, reference, name, metric)
        if key not in self._tests:
            sides = [self._pooled(row, state.dataset) for row in (reference, name)]
            both = sides[0] is not None and sides[1] is not None
            self._tests[key] = (
                paired_test(sides[0], sides[1], metric=metric) if both else None  # type: ignore[arg-type]
            )
        return self._tests[key]

    def _pooled(self, row: str, dataset: str) -> RetrievalResult | None:
        """The first seed's saved result of a row; runs lie beside the rows as ``ROW-sSEED``."""
        checkpoints = set(
            self.rows["checkpoint"][(self.rows["row"] == row) & (self.rows["dataset"] == dataset)]
        )
        for folder in self.folders:
            for path in sorted(folder.glob("*/result.json")):
                result = RetrievalResult.load(path)
                if result.card.get("checkpoint") in checkpoints:
                    return result
        return None


def tabulate(
    ours: pd.DataFrame,
    theirs: pd.DataFrame,
    state: AblationState,
    tests: dict[str, PairedTest | None],
) -> Table:
    """Measured mean and spread, published figure and paired test of every row."""
    rows: list[tuple[Cell, ...]] = []
    for name in dict.fromkeys([*ours["row"], *theirs["method"]]):
        values = ours.loc[ours["row"] == name, state.metric]
        quoted = theirs[theirs["method"] == name]
        test = tests.get(str(name))
        words = EMPTY
        if test is not None:
            low, high = (100 * end for end in test.interval)
            words = Cell(f"{100 * test.difference:+.1f} [{low:+.1f}, {high:+.1f}], "
                         f"p = {test.p_value:.3g}", "measured")  # fmt: skip
        rows.append(
            (
                Cell(str(name)),
                spread(values),
                Cell(f"{values.notna().sum()}", "measured") if len(values) else EMPTY,
                cell(quoted.iloc[0], state.metric) if len(quoted) else EMPTY,
                words,
            )
        )
    reference = state.reference or (str(ours["row"].iloc[0]) if len(ours) else "")
    return Table(
        ("row", "measured", "seeds", "published", f"one seed against {reference}"),
        tuple(rows),
        f"{state.metric} on {title(state.dataset)} in per cent: mean and standard deviation over "
        "seeds; difference with 95 % interval and paired sign-flip test over queries.",
    )


def ablation(
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
        tables = {path: pd.read_csv(path) for path in files if path.is_file()}
        # A folder may hold other tables as well; one file that was named must be of rows.
        found = [path for path in tables if not where.is_dir() or {*NEEDED} <= {*tables[path]}]
        if not found:
            raise InputError(f"no measured rows at {where}; mfa ablate --rows FILE writes them")
        rows = pd.concat([tables[path] for path in found], ignore_index=True)
        rows.attrs["files"] = [str(path) for path in found]
        folders += sorted({path.parent for path in found})
    for column in NEEDED:
        if column not in rows:
            raise InputError(f"the rows have no column {column!r}; write them by mfa ablate")
    state.setdefault("dataset", str(rows["dataset"].mode().iloc[0]))
    filled = rows.assign(checkpoint=rows.get("checkpoint", pd.Series(np.nan, rows.index)))
    filled.attrs = dict(rows.attrs)
    return Ablation(filled, folders, AblationState(**state))
