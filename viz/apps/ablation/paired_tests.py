"""One row of an ablation held against another: a paired test, from saved results or as recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mfa.progress import Progress, silent
from mfa.retrieval.results import RetrievalResult
from mfa.retrieval.statistics import paired_test

RECORDED = ("mAP_gain", "p_value")
"""Columns ``mfa ablate`` writes for mAP, always against the plan's first row."""


@dataclass(frozen=True)
class Held:
    """How much better a row is than the other, in words, and how likely that is by chance."""

    words: str
    p_value: float


def saved(folders: Sequence[Path]) -> dict[str, Path]:
    """Checkpoint to file of every saved result; runs lie in ``folders`` as ``ROW-sSEED``."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/result.json")):
            found.setdefault(str(RetrievalResult.load(path).card.get("checkpoint")), path)
    return found


def held_against(
    rows: pd.DataFrame,
    reference: str,
    results: dict[str, Path],
    metric: str = "mAP",
    progress: Progress = silent,
) -> dict[str, Held]:
    """The rows of a plan held against one of them, where that can be told.

    From the saved results of one seed each where both are there, else as ``mfa ablate`` recorded
    it, which it does for mAP against the first row.

    Args:
        rows: all seeds of all rows, with ``row``, ``checkpoint`` and what was measured.
        reference: the row the others are held against.
        results: of ``saved``.
        metric: ``mAP`` and ``mINP`` are tested by AP, ``rank1`` by the first answers.
        progress: called with the share done, before each row.
    """
    found: dict[str, Held] = {}
    names = [name for name in dict.fromkeys(rows["row"]) if name != reference]
    recorded = (reference, metric) == (rows["row"].iloc[0], "mAP")
    other = rows[rows["row"] == reference]
    for number, name in enumerate(names):
        progress(number / len(names))
        row = rows[rows["row"] == name]
        held = _by_results(row, other, results, metric)
        if held is None and recorded:
            held = _as_recorded(row)
        if held is not None:
            found[str(name)] = held
    return found


def _by_results(
    row: pd.DataFrame, other: pd.DataFrame, results: dict[str, Path], metric: str
) -> Held | None:
    if "checkpoint" not in row:
        return None
    paths = [
        next((results[name] for name in side["checkpoint"].map(str) if name in results), None)
        for side in (other, row)
    ]
    if paths[0] is None or paths[1] is None:
        return None
    before, after = (RetrievalResult.load(path) for path in paths if path is not None)
    test = paired_test(before, after, metric="rank1" if metric == "rank1" else "AP")
    low, high = (100 * end for end in test.interval)
    words = f"{100 * test.difference:+.1f} [{low:+.1f}, {high:+.1f}], p = {test.p_value:.3g}"
    return Held(f"{words}, one seed", test.p_value)


def _as_recorded(row: pd.DataFrame) -> Held | None:
    if not {*RECORDED} <= {*row} or row["mAP_gain"].isna().all():
        return None
    gain, seeds = row["mAP_gain"].mean(), row["mAP_gain"].count()
    over = row.get("p_value_over_seeds", row["p_value"]).dropna()
    p_value = float((over if len(over) else row["p_value"].dropna()).iloc[0])
    count = "one seed" if seeds == 1 else f"{seeds} seeds"
    return Held(f"{gain:+.1f}, p = {p_value:.3g}, {count}", p_value)
