"""Rows of an ablation tested against one of them: by saved results, or as recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mfa.progress import Progress, silent
from mfa.retrieval.results import RetrievalResult
from mfa.retrieval.statistics import paired_test, seeds_test

EMPTY = pd.Series(dtype=object)

RECORDED = ("mAP_gain", "p_value")
"""Columns ``mfa ablate`` writes for mAP, always against the plan's first row."""


@dataclass(frozen=True)
class RowTest:
    """How much better a row is than the other, in words; how likely by chance; by which test."""

    words: str
    p_value: float
    test: str


def saved_results(folders: Sequence[Path | str]) -> dict[str, Path]:
    """Checkpoint to file of every saved result; runs lie in ``folders`` as ``ROW-sSEED``."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(Path(folder).glob("*/result.json")):
            found.setdefault(str(RetrievalResult.load(path).card.get("checkpoint")), path)
    return found


def compare_rows(
    rows: pd.DataFrame,
    reference: str,
    results: dict[str, Path],
    metric: str = "mAP",
    progress: Progress = silent,
) -> dict[str, RowTest]:
    """The rows of a plan tested against one of them, where that is possible.

    With several seeds, the rows' figures are tested over the seeds, as the mean and spread beside
    them are. With one, the saved results are tested by identity; where they are not there, the test
    is the one ``mfa ablate`` recorded, which it does for mAP against the first row.

    Args:
        rows: all seeds of all rows, with ``row``, ``checkpoint`` and what was measured.
        reference: the row that the others are compared with.
        results: of ``saved_results``.
        metric: ``mAP`` and ``mINP`` are tested by AP, ``rank1`` by the first answers.
        progress: called with the completed fraction before each row.
    """
    found: dict[str, RowTest] = {}
    names = [name for name in dict.fromkeys(rows["row"]) if name != reference]
    recorded = (reference, metric) == (rows["row"].iloc[0], "mAP")
    other = rows[rows["row"] == reference]
    for number, name in enumerate(names):
        progress(number / len(names))
        row = rows[rows["row"] == name]
        held = _over_seeds(row, other, metric) or _by_results(row, other, results, metric)
        if held is None and recorded:
            held = _as_recorded(row)
        if held is not None:
            found[str(name)] = held
    return found


def _over_seeds(row: pd.DataFrame, other: pd.DataFrame, metric: str) -> RowTest | None:
    both = other.merge(row, on="seed", suffixes=("_other", ""))
    both = both.dropna(subset=[metric, f"{metric}_other"])
    if len(both) < 2:
        return None
    p_value = seeds_test(both[f"{metric}_other"].tolist(), both[metric].tolist())
    gain = (both[metric] - both[f"{metric}_other"]).mean()
    return RowTest(
        f"{gain:+.1f}, p = {p_value:.3g}, {len(both)} seeds", p_value, "paired t-test over seeds"
    )


def _by_results(
    row: pd.DataFrame, other: pd.DataFrame, results: dict[str, Path], metric: str
) -> RowTest | None:
    if "checkpoint" not in row:
        return None
    paths = [
        next((results[name] for name in side["checkpoint"].map(str) if name in results), None)
        for side in (other, row)
    ]
    if paths[0] is None or paths[1] is None:
        return None
    before, after = (RetrievalResult.load(path).per_query for path in paths if path is not None)
    test = paired_test(before, after, metric="rank1" if metric == "rank1" else "AP")
    low, high = (100 * end for end in test.interval)
    words = f"{100 * test.difference:+.1f} [{low:+.1f}, {high:+.1f}], p = {test.p_value:.3g}"
    return RowTest(f"{words}, one seed", test.p_value, "sign flips by identity")


def _as_recorded(row: pd.DataFrame) -> RowTest | None:
    if not {*RECORDED} <= {*row}:
        return None
    recorded = row.dropna(subset=[*RECORDED])
    if recorded.empty:
        return None
    unit = "identity" if recorded.get("resampled", EMPTY).eq("identities").any() else "query"
    gain, p_value = (float(recorded[name].iloc[0]) for name in RECORDED)
    return RowTest(f"{gain:+.1f}, p = {p_value:.3g}, one seed", p_value, f"sign flips by {unit}")
