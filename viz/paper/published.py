"""Published figures and our own ablation rows, as they lie in ``data/``; read, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mfa.errors import InputError
from mfa.files import shipped
from viz.tables import EMPTY, Cell, Origin

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
    if dataset in TITLES:
        return TITLES[dataset]
    for name, words in sorted(TITLES.items(), key=lambda item: -len(item[0])):
        if dataset.startswith(f"{name}_"):
            return f"{words} {dataset.removeprefix(f'{name}_').replace('_', ' ')}"
    return dataset


def published(name: str = "published", folder: Path = DATA / "published") -> pd.DataFrame:
    """A table of published figures; empty cells of words are empty strings.

    Raises:
        InputError: the file is not there.
    """
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
    tables = []
    for path in sorted(folder.glob(f"{plan}*.csv")):
        table = read_rows(path)
        for column in ("row", "seed", "dataset", "mAP", "rank1"):
            if column not in table:
                raise InputError(f"{path} has no column {column!r}; write it by mfa ablate")
        tables.append(table)
    if not tables:
        return pd.DataFrame(columns=["row", "seed", "dataset", "mAP", "rank1"])
    return pd.concat(tables, ignore_index=True)


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


def headings(datasets: Sequence[str], figures: Sequence[str]) -> list[str]:
    """Column headings: every figure of every dataset."""
    return [f"{title(name)} {figure}" for name in datasets for figure in figures]


def groups(
    datasets: Sequence[str], figures: Sequence[str], before: int
) -> tuple[tuple[str, int], ...]:
    """The datasets as headings over their ``headings``, after so many other columns."""
    return (("", before), *((title(name), len(figures)) for name in datasets))
