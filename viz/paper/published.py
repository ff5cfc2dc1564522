"""Published figures and our own ablation rows, as they lie in ``data/``; read, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mfa.errors import InputError
from mfa.files import shipped
from viz.tables import EMPTY, Cell, Origin, Table

DATA = shipped("data")

TITLES = {
    "market1501": "Market-1501",
    "dukemtmc": "DukeMTMC",
    "cuhk03": "CUHK03",
    "msmt17": "MSMT17",
    "partial_reid": "Partial-REID",
    "partial_ilids": "Partial-iLIDS",
    "synthetic": "Synthetic",
    "synthetic_partial": "Synthetic partial",
}
"""What captions call a dataset."""

ABLATION_NAMES = {"Baseline (ResNet50)": "Baseline", "Baseline + CPAA": "+ CPAA"}
"""Published ablation rows by the names our plans give them."""


def title(dataset: str) -> str:
    """A dataset's name for captions; ``cuhk03_labeled`` is CUHK03 labeled."""
    name, rest = dataset, ""
    while name and name not in TITLES:
        name, _, word = name.rpartition("_")
        rest = f" {word}{rest}"
    return f"{TITLES[name]}{rest}" if name else dataset


def published(name: str = "published", folder: Path = DATA / "published") -> pd.DataFrame:
    """A table of published figures; empty cells of words are empty strings."""
    path = folder / f"{name}.csv"
    try:
        table = pd.read_csv(path)
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing; it comes with the repository") from error
    words = [column for column in table if not pd.api.types.is_numeric_dtype(table[column])]
    return table.fillna(dict.fromkeys(words, ""))


def read_rows(path: Path) -> pd.DataFrame:
    """Rows of ``mfa ablate``; a commit such as 979e800 is not the number it looks like."""
    return pd.read_csv(path, dtype={"commit": str})


def ablation_rows(plan: str, folder: Path = DATA / "results") -> pd.DataFrame:
    """Measured rows of a plan (``table2``, ``table3``): every ``plan*.csv`` of the folder.

    Returns:
        ``row``, ``seed``, ``dataset``, ``mAP``, ``rank1`` and what else the files hold; empty
        where none was measured.

    Raises:
        InputError: a file lacks one of these columns.
    """
    columns = ["row", "seed", "dataset", "mAP", "rank1"]
    tables = []
    for path in sorted(folder.glob(f"{plan}*.csv")):
        tables.append(read_rows(path))
        if missing := [column for column in columns if column not in tables[-1]]:
            raise InputError(f"{path} has no column {missing[0]!r}; write it by mfa ablate")
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def published_of(
    rows: pd.DataFrame, dataset: str, metric: str, table: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Published figures of measured rows, one each, under the rows' own names.

    Args:
        rows: with ``row``.
        dataset: its name.
        metric: the figure; sources that do not give it are passed over.
        table: of published figures; by default that of ``published``.
    """
    table = published() if table is None else table
    if metric not in table:
        return table.iloc[:0].assign(**{metric: []})
    ours = {str(name).casefold(): name for name in rows["row"]}
    theirs = table[(table["dataset"] == dataset) & table[metric].notna()]
    theirs = theirs.replace({"method": ABLATION_NAMES})
    names = theirs["method"].str.casefold().map(ours)
    return theirs.assign(method=names).dropna(subset=["method"]).drop_duplicates("method")


class Rows:
    """Rows of a table while they are collected, each with its source."""

    def __init__(self) -> None:
        self.cells: list[tuple[Cell, ...]] = []
        self.sources: list[str] = []
        self.breaks: list[int] = []

    def add(self, source: str, *cells: Cell) -> None:
        """One more row."""
        self.cells.append(cells)
        self.sources.append(source)

    def line(self) -> None:
        """A line before the next row, unless that is the first."""
        if self.cells:
            self.breaks.append(len(self.cells))

    def table(self, columns: Sequence[str], caption: str, **more: Any) -> Table:
        """The rows under these headings; ``more`` are further fields of the table."""
        breaks = tuple(place for place in self.breaks if place < len(self.cells))
        rows, sources = tuple(self.cells), tuple(self.sources)
        return Table(tuple(columns), rows, caption, breaks, sources, **more)


def facts(rows: pd.DataFrame, columns: Sequence[str]) -> str:
    """What measured rows say of themselves in some columns."""
    return "; ".join(
        f"{column} {', '.join(str(value) for value in rows[column].unique())}"
        for column in columns
        if column in rows and len(rows)
    )


def cell(row: pd.Series, column: str, digits: int = 1) -> Cell:
    """One published figure; how far it was checked decides its origin."""
    value = row[column]
    if pd.isna(value):
        return EMPTY
    origins: dict[str, Origin] = {"read": "published", "computed": "computed"}
    return Cell.number(float(value), origins.get(str(row["confidence"]), "unverified"), digits)


def spread(values: pd.Series, digits: int = 1, mark: str = "") -> Cell:
    """Mean of measured values, with their standard deviation where there are several."""
    values = values.dropna()
    if values.empty:
        return EMPTY
    text = f"{values.mean():.{digits}f}"
    if len(values) > 1:
        text += f" ± {values.std(ddof=1):.{digits}f}"
    return Cell(text, "measured", mark)


def headings(datasets: Sequence[str]) -> list[str]:
    """Column headings: mAP and Rank-1 of every dataset."""
    return [f"{title(name)} {figure}" for name in datasets for figure in ("mAP", "R1")]


def groups(datasets: Sequence[str], before: int) -> tuple[tuple[str, int], ...]:
    """The datasets as headings over their ``headings``, after so many other columns."""
    return (("", before), *((title(name), 2) for name in datasets))
