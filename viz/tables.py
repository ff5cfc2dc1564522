"""Tables in which no number stands without its origin: LaTeX (booktabs), Markdown, CSV.

Measured numbers are bold, published ones plain, those nobody checked in parentheses with a
question mark; an empty cell is a number nobody has.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mfa.errors import InputError

Origin = Literal["label", "measured", "published", "computed", "unverified", "missing"]
Format = Literal["tex", "md", "csv"]

FORMATS: tuple[Format, ...] = ("tex", "md", "csv")

LEGEND: dict[Origin, str] = {
    "measured": "bold: measured here",
    "published": "plain: published, read at the source named",
    "computed": "with ~: computed from published numbers",
    "unverified": "(in parentheses, ?): published figure quoted from memory, unverified",
    "missing": "empty: no number known",
}

NARROW = 5
"""Columns, the sources' included, that fit one column of a page."""

_LATEX = str.maketrans(
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
        "²": r"\textsuperscript{2}",
        "–": "--",
        "×": r"$\times$",
    }
)


@dataclass(frozen=True)
class Cell:
    """One entry: what is printed, and where it comes from."""

    text: str
    origin: Origin = "label"

    @staticmethod
    def number(value: float | None, origin: Origin, digits: int = 1) -> Cell:
        """A number with that many digits; ``None`` or NaN is an empty cell."""
        if value is None or value != value:
            return EMPTY
        return Cell(f"{value:,.{digits}f}", origin)


EMPTY = Cell("", "missing")


@dataclass(frozen=True)
class Table:
    """A table ready to be written.

    Attributes:
        columns: headings.
        rows: cells, as many in each row as there are columns.
        caption: words above or below it, protocol card included.
        breaks: row numbers before which a line is drawn, e.g. between published and measured.
        sources: where each row comes from; printed as numbers that the caption explains, in full
            in the CSV. Empty: the caption says it for all.
        groups: (heading, columns it spans) in LaTeX, from the first column on; each of these
            columns' own names begins with that heading. Empty: none.

    Raises:
        InputError: a row has another number of cells than there are columns, or there are sources
            for some rows only.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    breaks: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    groups: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        if self.sources and len(self.sources) != len(self.rows):
            raise InputError(f"{len(self.sources)} sources for {len(self.rows)} rows of a table")
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise InputError(
                    f"row {number} of the table has {len(row)} cells for {len(self.columns)} "
                    "columns"
                )

    @property
    def legend(self) -> str:
        """What the signs mean, of those the table uses."""
        used = {cell.origin for row in self.rows for cell in row}
        return "; ".join(words for origin, words in LEGEND.items() if origin in used)

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

    def to_markdown(self) -> str:
        """A pipe table with its words below."""
        lines = [_pipe(self._headings()), _pipe(self._alignment())]
        lines += [_pipe([_markdown(cell) for cell in row]) for row in self._printed()]
        return "\n".join([*lines, "", self.words, ""])

    def to_latex(self, label: str = "") -> str:
        r"""A ``table`` environment, over both columns of a page where the table is wide.

        What is still too wide is scaled to the line. The document needs
        ``\usepackage{booktabs,graphicx}``.
        """
        body: list[str] = []
        for number, row in enumerate(self._printed()):
            if number in self.breaks:
                body.append(r"\midrule")
            body.append(" & ".join(_latex(cell) for cell in row) + r" \\")
        columns = "".join("r" if mark == "---:" else "l" for mark in self._alignment())
        environment = "table*" if len(columns) > NARROW else "table"
        lines = [
            rf"\begin{{{environment}}}",
            r"\centering",
            rf"\caption{{{latex(self.caption)}}}",
            *([rf"\label{{{label}}}"] if label else []),
            r"\par\smallskip\footnotesize",
            r"\setlength{\tabcolsep}{3pt}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            *self._latex_headings(),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            r"\par\smallskip",
            rf"\parbox{{\linewidth}}{{\scriptsize {latex(self.notes)}}}",
            rf"\end{{{environment}}}",
        ]
        return "\n".join(lines) + "\n"

    def _latex_headings(self) -> list[str]:
        """The columns' names, under those that several of them share."""
        names, above, rules = list(self._headings()), [], []
        place = 0
        for heading, span in self.groups:
            if heading:
                above.append(rf"\multicolumn{{{span}}}{{c}}{{{latex(heading)}}}")
                rules.append(rf"\cmidrule(lr){{{place + 1}-{place + span}}}")
                for column in range(place, place + span):
                    names[column] = names[column].removeprefix(heading).strip()
            else:
                above += [""] * span
            place += span
        own = " & ".join(latex(name) for name in names) + r" \\"
        if not self.groups:
            return [own]
        above += [""] * (len(names) - place)
        return [" & ".join(above) + r" \\", " ".join(rules), own]

    def to_csv(self) -> str:
        """Plain numbers; beside each column that holds any, one with the origin of each."""
        numeric = [
            any(row[place].origin != "label" for row in self.rows)
            for place in range(len(self.columns))
        ]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        header: list[str] = []
        for name, has_numbers in zip(self.columns, numeric, strict=True):
            header += [name, f"{name} origin"] if has_numbers else [name]
        writer.writerow([*header, "source"] if self.sources else header)
        for number, row in enumerate(self.rows):
            fields: list[str] = []
            for cell, has_numbers in zip(row, numeric, strict=True):
                text = cell.text if cell.origin == "label" else cell.text.replace(",", "")
                fields += [text, cell.origin] if has_numbers else [text]
            writer.writerow([*fields, self.sources[number]] if self.sources else fields)
        return out.getvalue()

    def save(
        self, stem: str | os.PathLike[str], formats: Sequence[Format] = FORMATS
    ) -> tuple[Path, ...]:
        """Write ``stem`` + ``.tex``, ``.md`` and ``.csv``; return the paths.

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
        written = []
        try:
            base.parent.mkdir(parents=True, exist_ok=True)
            for form in formats:
                path = base.with_name(f"{base.name}.{form}")
                path.write_text(makers[form](), encoding="utf-8")
                written.append(path)
        except OSError as error:
            raise InputError(f"cannot write the table {base}: {error.strerror or error}") from error
        return tuple(written)

    def _numbered(self) -> dict[str, int]:
        return {source: n for n, source in enumerate(dict.fromkeys(self.sources), start=1)}

    def _headings(self) -> tuple[str, ...]:
        return (*self.columns, "source") if self.sources else self.columns

    def _printed(self) -> tuple[tuple[Cell, ...], ...]:
        numbers = self._numbered()
        if not numbers:
            return self.rows
        return tuple(
            (*row, Cell(f"[{numbers[source]}]"))
            for row, source in zip(self.rows, self.sources, strict=True)
        )

    def _alignment(self) -> list[str]:
        """Numbers to the right, words to the left."""
        return [
            "---:" if any(cell.origin not in ("label", "missing") for cell in column) else "---"
            for column in zip(*self._printed(), strict=True)
        ]


def latex(text: str) -> str:
    """``text`` with what LaTeX would take for commands escaped."""
    return text.translate(_LATEX)


def _pipe(fields: Sequence[str]) -> str:
    return "| " + " | ".join(field.replace("|", "\\|") for field in fields) + " |"


def _markdown(cell: Cell) -> str:
    return f"**{cell.text}**" if cell.origin == "measured" else _signed(cell)


def _latex(cell: Cell) -> str:
    text = latex(_signed(cell))
    return rf"\textbf{{{text}}}" if cell.origin == "measured" else text


def _signed(cell: Cell) -> str:
    if cell.origin == "unverified":
        return f"({cell.text}?)"
    return f"~{cell.text}" if cell.origin == "computed" else cell.text
