"""Rows of ``data/results`` computed again from what they record, digit by digit.

A row of an ablation records its configuration, seed and dataset: it is trained and scored again.
What tables derive from other rows (tests over seeds, verdicts on the paper's sentences) is derived
again. Every other row rests on weights or pictures that are not published here; it is named.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mfa.ablation.plans import Row
from mfa.ablation.runner import Outcome, run_plan
from mfa.ablation.significance import over_rows, with_tests
from mfa.datasets import data_root, load_dataset
from mfa.errors import InputError
from mfa.explain.paper_claims import judge_claims
from mfa.files import found_above, text_of_cell
from mfa.records import ReidDataset
from mfa.runs.stored_config import from_json
from mfa.synthetic import SyntheticConfig, write

LONG = 120.0
"""Seconds of training above which ``quick`` leaves a row out."""

OVER_ROWS = ("p_value_over_seeds", "p_holm")
AGAINST_FIRST = ("mAP_gain", "mAP_gain_low", "mAP_gain_high", "p_value")
OF_A_RUN = ("train_seconds", "commit", "versions", "machine", "config")
"""Columns of a training that differ from one to the next and are no result."""

NEEDS = {
    "attention-real": "the pictures of {dataset}",
    "attention-synthetic": "the run {run}",
    "claims-synthetic": "the run {run}",
    "distillation-recipes": "Market-1501 and a teacher's features",
    "external-market1501": "Market-1501 and the public models",
    "faithfulness-synthetic": "the run {run}",
    "gla-weight-synthetic": "the first edition of mfa-tiny",
    "mfa-tiny-history": "Market-1501 and a teacher's features",
    "mfa-tiny-pilots": "Market-1501 and a teacher's features",
    "passport-real": "the pictures of {dataset}",
    "reference-synthetic": "the run with the checkpoint {checkpoint}",
    "repaint-synthetic": "the run {run}",
}
"""What a row of each table needs where nothing else is said."""

DATASETS = {"market1501": "Market-1501", "synthetic": "the synthetic set"}


@dataclass(frozen=True)
class Checked:
    """What became of one row.

    Attributes:
        name: ``TABLE/ROW-sSEED``, or ``TABLE/LINE`` with its line in the file.
        same: number of cells that came out as stored.
        moved: column to the stored and the recomputed value.
        needs: what was not there to compute all of it; empty where everything was.
    """

    name: str
    same: int
    moved: Mapping[str, tuple[str, str]]
    needs: str


def recompute(
    folder: Path,
    wanted: Sequence[str],
    work: Path,
    *,
    root: Path | None = None,
    quick: bool = False,
    train: bool = True,
) -> Iterator[Checked]:
    """Compute rows again, one after the other.

    Args:
        folder: of the tables, as ``data/results``.
        wanted: names of tables or rows, or ``all``.
        work: folder for datasets that are drawn and for runs.
        root: where datasets lie.
        quick: leave out trainings of more than two minutes.
        train: train at all; otherwise only what follows from other rows is checked.
    """
    tables = {path.stem: read_table(path) for path in sorted(folder.glob("*.csv"))}
    names = {name for table in tables.values() for name in table.index}
    for word in wanted:
        if word not in (*tables, *names, "all"):
            raise InputError(f"no table or row {word!r} in {folder}; tables: {', '.join(tables)}")
    data, longest = _Datasets(root, work), 0 if not train else LONG if quick else math.inf
    for stem, table in tables.items():
        chosen = {
            name: {str(column): cell for column, cell in row.items()}
            for name, row in zip(table.index, table.to_dict("records"), strict=True)
            if {"all", stem, name} & {*wanted}
        }
        if "config" in table:
            yield from _ablation(table, chosen, data, work / stem, longest)
        elif chosen:
            maps = tables.get(stem.replace("claims-", "attention-"), pd.DataFrame())
            derived = _claims(table, maps) if stem.startswith("claims-") else {}
            for name, row in chosen.items():
                found = derived.get(name, {})
                needs = NEEDS.get(stem, "a configuration, which it does not record")
                yield _compared(name, row, found, "" if found else needs.format(**row))


def read_table(path: Path) -> pd.DataFrame:
    """A table as text, its rows by the names that ``Checked`` gives them."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False).map(text_of_cell)
    labels: pd.Series[Any] = pd.Series(range(2, len(table) + 2))
    if {"row", "seed"} <= {*table}:
        labels = table["row"] + "-s" + table["seed"]
    return table.set_index(f"{path.stem}/" + labels.astype(str))


class _Datasets:
    """Datasets by name, read once; the synthetic set is drawn where it does not lie ready."""

    def __init__(self, root: Path | None, work: Path) -> None:
        self._roots = {"given": data_root(root), "drawn": work / "data"}
        self._read: dict[tuple[str, str], ReidDataset | None] = {}

    def find(self, name: str, fingerprint: str) -> ReidDataset | None:
        """The dataset with these pictures, if it is there."""
        for place in self._roots:
            data = self._load(name, place)
            if data is not None and data.fingerprint == fingerprint:
                return data
        return None

    def _load(self, name: str, place: str) -> ReidDataset | None:
        if (name, place) not in self._read:
            if (name, place) == ("synthetic", "drawn"):
                write(self._roots[place], SyntheticConfig())
            try:
                self._read[name, place] = load_dataset(name, self._roots[place])
            except InputError:
                self._read[name, place] = None
        return self._read[name, place]


def _ablation(
    table: pd.DataFrame,
    chosen: Mapping[str, Mapping[str, str]],
    datasets: _Datasets,
    folder: Path,
    longest: float,
) -> Iterator[Checked]:
    """Rows trained again, each tested against the first row where that was trained as well."""
    reference, first = table["row"].iloc[0], dict[int, Outcome]()
    derived = _tests_over_rows(table)
    for name, row in chosen.items():
        found = {**derived.get(name, {})}
        outcome = _trained(row, datasets, folder, longest)
        if isinstance(outcome, str):
            yield _compared(name, row, found, needs=outcome)
            continue
        found |= {k: v for k, v in outcome.figures.items() if k not in OF_A_RUN}
        if outcome.row == reference:
            first[outcome.seed] = outcome
        elif outcome.seed in first:
            tested = with_tests([first[outcome.seed], outcome]).iloc[-1]
            found |= {column: tested[column] for column in AGAINST_FIRST}
        yield _compared(name, row, found, needs="")


def _trained(
    row: Mapping[str, str], datasets: _Datasets, folder: Path, longest: float
) -> Outcome | str:
    """The row trained and scored again, or what that needs."""
    if not longest:
        return "a training"
    config, seed = from_json(row["config"]), int(row["seed"])
    data = datasets.find(row["dataset"], row["fingerprint"])
    if data is None:
        return DATASETS.get(row["dataset"], row["dataset"])
    weights = config.model.weights
    if weights not in ("none", "imagenet", "mfa-tiny") and not found_above(Path(weights)).exists():
        return f"the weights {weights}"
    seconds = float(row["train_seconds"])
    if seconds > longest:
        return f"a training of {seconds / 60:.0f} minutes"
    reuse = [place for place in folder.parent.iterdir() if place != folder]
    rows = [Row(row["row"], config)]
    (outcome,) = run_plan(rows, [seed], data, folder, reuse=reuse, device="cpu")
    return f"a training, which failed: {outcome.failure}" if outcome.failure else outcome


def _tests_over_rows(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """What the table's own figures give: the tests over seeds, corrected for their number."""
    if "p_value" not in table:
        return {}
    numbers = table[["row", "seed"]].assign(
        **{name: pd.to_numeric(table[name]) for name in ("mAP", "p_value")}
    )
    tested = over_rows(numbers, table["row"].iloc[0])
    columns = [column for column in OVER_ROWS if column in tested]
    return {str(name): dict(row) for name, row in tested[columns].iterrows()}


def _claims(claims: pd.DataFrame, maps: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The paper's sentences judged again by the numbers of the table of attention beside them."""
    found = {}
    numbers = ("mean", "low", "high", "pictures")
    keys = [name for name in ("run", "dataset", "cover", "method") if name in maps]
    for key, part in maps.groupby(keys) if keys else ():
        part = part.assign(**{name: pd.to_numeric(part[name]) for name in numbers})
        branches = sorted(name for name in part["branch"].unique() if name.startswith("branch"))
        judged = judge_claims(part, tuple(branches)).round(4).set_index("claim")
        for name, row in claims[(claims[keys] == pd.Series(key, keys)).all(axis=1)].iterrows():
            found[str(name)] = judged.loc[row["claim"]].to_dict()
    return found


def _compared(name: str, row: Mapping[str, str], found: Mapping[str, Any], needs: str) -> Checked:
    """Stored cells against recomputed ones; empty cells and columns of neither are left out."""
    both = {column: (row[column], str(value)) for column, value in found.items() if row.get(column)}
    moved = {column: pair for column, pair in both.items() if not _equal(*pair)}
    return Checked(name, len(both) - len(moved), moved, needs)


def _equal(stored: str, found: str) -> bool:
    try:
        return float(stored) == float(found)
    except ValueError:
        return stored == found
