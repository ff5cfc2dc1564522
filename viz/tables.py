"""Tables in which no number stands without its origin: LaTeX (booktabs), Markdown, CSV, HTML.

Bold is the best number of a column and underlined the second best, as readers expect. Other
signs show where a number comes from: published numbers are in italics, those nobody checked in
parentheses with a question mark. An empty cell stands for a number that nobody has.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from mfa.errors import InputError
from mfa.files import csv_text, write_atomically

Origin = Literal["label", "measured", "published", "computed", "unverified", "missing"]
Format = Literal["tex", "md", "csv"]
Better = Literal["max", "min"]

FORMATS: tuple[Format, ...] = ("tex", "md", "csv")

LEGEND: dict[str, str] = {
    "best": "bold: best of the column; underlined: second best",
    "measured": "upright: measured here",
    "published": "italic: published, read at the source named",
    "computed": "with ~: computed from published numbers",
    "unverified": "(in parentheses, ?): published figure quoted from memory, unverified",
    "missing": "empty: no number known",
}

COMPARED = ("measured", "published", "computed")
"""Origins of the numbers that may be a column's best; nobody checked the others."""

NARROW = 5
"""Columns, the sources' included, that fit one column of a page."""

LATEX = {"best": "textbf: --rwrap;", "second": "underline: --rwrap;", "italic": "textit: --rwrap;"}
CSS = {
    "best": "font-weight: bold;",
    "second": "text-decoration: underline;",
    "italic": "font-style: italic;",
}
MARKDOWN = {"best": "**{}**", "second": "<u>{}</u>", "italic": "*{}*"}
"""How each format writes the three kinds of emphasis."""

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"$\sim$",
        "^": r"\textasciicircum{}",
        "±": r"$\pm$",
        "·": r"$\cdot$",
        "²": r"\textsuperscript{2}",
        "–": "--",
        "×": r"$\times$",
    }
)
"""What LaTeX takes for commands; and signs whose usual fonts would come as Type 3."""


@dataclass(frozen=True)
class Cell:
    """One entry.

    Attributes:
        text: what is printed.
        origin: where it comes from.
        mark: signs behind a number, such as stars of a test; not in the CSV.
        cite: citation key of a row's name, for LaTeX.
    """

    text: str
    origin: Origin = "label"
    mark: str = ""
    cite: str = ""

    @staticmethod
    def number(value: float | None, origin: Origin, digits: int = 1) -> Cell:
        """A number with that many digits; ``None`` or NaN is an empty cell."""
        if value is None or value != value:
            return EMPTY
        return Cell(f"{value:,.{digits}f}", origin)

    @property
    def value(self) -> float:
        """The number as printed, so that numbers that look equal are equal; else NaN."""
        found = re.match(r"[-+]?[\d,]*\.?\d+", self.text)
        compared = found is not None and self.origin in COMPARED
        return float(found[0].replace(",", "")) if found and compared else float("nan")

    @property
    def is_number(self) -> bool:
        """Neither a name nor empty."""
        return self.origin not in ("label", "missing")

    @property
    def signed(self) -> str:
        """The text with the signs of its origin and its marks."""
        signs = {"unverified": f"({self.text}?)", "computed": f"~{self.text}"}
        return signs.get(self.origin, self.text) + self.mark


EMPTY = Cell("", "missing")


@dataclass(frozen=True)
class Table:
    """A table ready to be written; as the last line of a notebook's cell it shows itself.

    Attributes:
        columns: headings.
        rows: cells, as many in each row as there are columns.
        caption: what it shows, with the protocol in one sentence.
        breaks: row numbers before which a line is drawn, e.g. between published and measured.
        sources: where each row comes from; printed as numbers that the notes explain, in full in
            the CSV. Empty: the caption says it for all.
        groups: (heading, columns it spans) in LaTeX, from the first column on; each of these
            columns' own names begins with that heading. Empty: none.
        best: by column, whether its largest (``max``) or smallest (``min``) number is the best.
            Columns that are not named have no best.
        details: what only needs to be kept with it: fingerprints, weights, versions.

    Raises:
        InputError: a row has another number of cells than there are columns, there are sources
            for some rows only, or ``best`` names no column.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    breaks: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    groups: tuple[tuple[str, int], ...] = ()
    best: Mapping[str, Better] = field(default_factory=dict)
    details: str = ""

    def __post_init__(self) -> None:
        if self.sources and len(self.sources) != len(self.rows):
            raise InputError(f"{len(self.sources)} sources for {len(self.rows)} rows of a table")
        if unknown := sorted(set(self.best) - set(self.columns)):
            raise InputError(f"best names {unknown[0]!r}, which is no column of the table")
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise InputError(
                    f"row {number} of the table has {len(row)} cells for {len(self.columns)} "
                    "columns"
                )

    @property
    def legend(self) -> str:
        """What the signs mean, of those the table uses."""
        used: set[str] = {cell.origin for row in self.rows for cell in row}
        if self.emphasis().isin(["best"]).any(axis=None):
            used.add("best")
        return "; ".join(words for sign, words in LEGEND.items() if sign in used)

    @property
    def notes(self) -> str:
        """Numbered sources and the legend: what stands below the table."""
        listed = "; ".join(f"[{n}] {source}" for source, n in self._numbered().items())
        sources = f"Sources: {listed}." if listed else ""
        legend = f"({self.legend}.)" if self.legend else ""
        return f"{sources} {legend}".strip()

    @property
    def words(self) -> str:
        """Caption and notes: all that stands beside the table."""
        return f"{self.caption} {self.notes}".strip()

    def emphasis(self) -> pd.DataFrame:
        """``best``, ``second`` or nothing for each cell."""
        marks = pd.DataFrame("", index=range(len(self.rows)), columns=list(self.columns))
        for name, better in self.best.items():
            values = pd.Series([row[self.columns.index(name)].value for row in self.rows])
            ranks = values.rank(method="dense", ascending=better == "min")
            if ranks.max() > 1:
                marks[name] = ranks.map({1: "best", 2: "second"}).fillna("")
        return marks

    def to_frame(self) -> pd.DataFrame:
        """Plain numbers as text; beside each column that holds any, the origin of each."""
        columns: dict[str, list[str]] = {}
        for name, cells in zip(self.columns, zip(*self.rows, strict=True), strict=True):
            origins = [cell.origin for cell in cells]
            columns[name] = [
                cell.text if cell.origin == "label" else cell.text.replace(",", "")
                for cell in cells
            ]
            if set(origins) != {"label"}:
                columns[f"{name} origin"] = list(origins)
        if self.sources:
            columns["source"] = list(self.sources)
        return pd.DataFrame(columns)

    def to_csv(self) -> str:
        """``to_frame`` as CSV."""
        return csv_text(self.to_frame())

    def to_markdown(self) -> str:
        """A pipe table with its words below."""
        shown = self._printed().map(lambda text: re.sub(r"([|*])", r"\\\1", text))
        for (row, column), marks in np.ndenumerate(self._looks().to_numpy()):
            for mark in marks.split():
                shown.iat[row, column] = MARKDOWN[mark].format(shown.iat[row, column])
        align = ["right" if mark == "r" else "left" for mark in self._alignment()]
        listed = shown.to_markdown(index=False, disable_numparse=True, colalign=align)
        return f"{listed}\n\n{self.words}\n"

    def to_latex(self, label: str = "") -> str:
        r"""A ``table`` environment, over both columns of a page where the table is wide.

        What is still too wide is scaled to the line. The document needs
        ``\usepackage{booktabs,graphicx}``.
        """
        alignment = self._alignment()
        environment = "table*" if len(alignment) > NARROW else "table"
        lines = [
            rf"\begin{{{environment}}}",
            r"\centering",
            rf"\caption{{{latex(self.caption)}}}",
            *([rf"\label{{{label}}}"] if label else []),
            r"\par\smallskip\footnotesize",
            r"\setlength{\tabcolsep}{3pt}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            *self._tabular(alignment),
            r"}\par\smallskip",
            rf"\parbox{{\linewidth}}{{\scriptsize {latex(self.notes)}}}",
            rf"\end{{{environment}}}",
        ]
        return "\n".join(lines) + "\n"

    def _tabular(self, alignment: str) -> list[str]:
        shown = self._printed().map(latex)
        cited = [rf"~\cite{{{cells[0].cite}}}" if cells[0].cite else "" for cells in self.rows]
        shown.iloc[:, 0] = shown.iloc[:, 0] + cited
        shown.columns = self._headings()
        styled = _styled(shown, self._looks(), LATEX)
        text = styled.to_latex(column_format=alignment, hrules=True, multicol_align="c")
        lines = str(text).strip().split("\n")
        body = lines.index(r"\midrule") + 1
        for number in sorted(self.breaks, reverse=True):
            lines.insert(body + number, r"\midrule")
        return lines

    def _headings(self) -> pd.Index:
        names = [latex(name) for name in self._printed().columns]
        if not self.groups:
            return pd.Index(names)
        above = [latex(heading) for heading, span in self.groups for _ in range(span)]
        above += [""] * (len(names) - len(above))
        below = [n.removeprefix(heading).strip() for n, heading in zip(names, above, strict=True)]
        return pd.MultiIndex.from_arrays([above, below])

    def _repr_html_(self) -> str:
        styled = _styled(self._printed(), self._looks(), CSS).format(escape="html")
        return str(styled.set_caption(escape(self.caption)).to_html())

    def save(
        self, stem: str | os.PathLike[str], formats: Sequence[Format] = FORMATS
    ) -> tuple[Path, ...]:
        """Write ``stem`` + ``.tex``, ``.md`` and ``.csv``; return the paths.

        Details, where there are any, become ``stem`` + ``.details.md``.

        Raises:
            InputError: an unknown format, or a place that cannot be written.
        """
        base = Path(stem)
        makers = {
            "tex": lambda: self.to_latex(f"tab:{base.name}"),
            "md": self.to_markdown,
            "csv": self.to_csv,
        }
        unknown = sorted(set(formats) - set(makers))
        if unknown:
            raise InputError(f"no table format {unknown[0]!r}; there are {', '.join(makers)}")
        paths = tuple(base.with_name(f"{base.name}.{form}") for form in formats)
        for path, form in zip(paths, formats, strict=True):
            write_atomically(path, makers[form]())
        if not self.details:
            return paths
        beside = base.with_name(f"{base.name}.details.md")
        write_atomically(beside, f"{self.details}\n")
        return (*paths, beside)

    def _numbered(self) -> dict[str, int]:
        return {source: n for n, source in enumerate(dict.fromkeys(self.sources), start=1)}

    def _printed(self) -> pd.DataFrame:
        """The cells' texts with their signs, and a column of the sources' numbers."""
        texts = [[cell.signed for cell in row] for row in self.rows]
        shown = pd.DataFrame(texts, columns=list(self.columns))
        numbers = self._numbered()
        return shown.assign(source=[f"[{numbers[s]}]" for s in self.sources]) if numbers else shown

    def _looks(self) -> pd.DataFrame:
        """Names of emphasis for each printed cell, separated by blanks."""
        marks = self.emphasis()
        for (row, place), mark in np.ndenumerate(marks.to_numpy()):
            if self.rows[row][place].origin == "published":
                marks.iat[row, place] = f"italic {mark}".strip()
        return marks.assign(source="") if self.sources else marks

    def _alignment(self) -> str:
        """Numbers to the right, words to the left."""
        columns = zip(*self.rows, strict=True)
        sides = ("r" if any(cell.is_number for cell in column) else "l" for column in columns)
        return "".join(sides) + ("l" if self.sources else "")


def latex(text: str) -> str:
    """``text`` with what LaTeX would take for commands escaped."""
    return text.translate(_ESCAPES)


def _styled(shown: pd.DataFrame, looks: pd.DataFrame, how: Mapping[str, str]) -> Styler:
    """A Styler of texts, each with the emphasis it needs."""
    styles = looks.map(lambda marks: " ".join(how[mark] for mark in marks.split()))
    styles.columns = shown.columns
    return shown.style.hide(axis="index").apply(lambda _: styles, axis=None)
