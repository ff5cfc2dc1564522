"""The outcome of a scoring: one row per query, the CMC curve, and the protocol card."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.files import csv_text, read_json, text_of_cell, write_atomically
from mfa.records import Features
from mfa.retrieval import statistics
from mfa.retrieval.gallery import COUNTED
from mfa.retrieval.ranking import Ranker

SUMMARY_RANKS = (1, 3, 5, 10, 20)


@dataclass(frozen=True)
class RetrievalResult:
    """A scored retrieval. All figures are fractions in [0, 1].

    Attributes:
        per_query: one row per query, in the order of the query list, dropped ones too. Columns:
            ``query`` (position in the list), ``name``, ``pid``, ``camid``, ``AP``,
            ``AP_trapezoid``, ``INP`` (NaN where dropped), ``first_match_rank``,
            ``last_match_rank`` (from 1; missing where dropped), ``positives``, ``status``
            (``counted``, or why the query was dropped).
        cmc: (max_rank,) share of the counted queries with a match at or before each rank.
        gallery: number of gallery pictures given, junk included.
        card: the protocol card.
        features: what was scored; ``None`` after ``load``.
        ranker: ranks the gallery of one query; ``None`` after ``load``.
    """

    per_query: pd.DataFrame
    cmc: np.ndarray
    gallery: int
    card: dict[str, Any]
    features: Features | None = field(default=None, repr=False, compare=False)
    ranker: Ranker | None = field(default=None, repr=False, compare=False)

    @property
    def counted(self) -> pd.DataFrame:
        """The rows of ``per_query`` that make up the figures."""
        return self.per_query[self.per_query["status"] == COUNTED]

    @property
    def dropped(self) -> pd.DataFrame:
        """The rows that do not, each with its reason in ``status``."""
        return self.per_query[self.per_query["status"] != COUNTED]

    @property
    def mAP(self) -> float:  # noqa: N802  (the field's own spelling)
        """Mean AP by the step rule."""
        return float(self.counted["AP"].mean())

    @property
    def mAP_trapezoid(self) -> float:  # noqa: N802
        """Mean AP by the trapezoid rule."""
        return float(self.counted["AP_trapezoid"].mean())

    @property
    def mINP(self) -> float:  # noqa: N802
        """Mean inverse negative penalty: how early the last match comes."""
        return float(self.counted["INP"].mean())

    @property
    def rank1(self) -> float:
        """Share of counted queries whose nearest counted picture is a match."""
        return self.rank(1)

    @property
    def rank5(self) -> float:
        """The same within the first five."""
        return self.rank(5)

    @property
    def rank10(self) -> float:
        """The same within the first ten."""
        return self.rank(10)

    def rank(self, k: int) -> float:
        """Share of counted queries with a match at or before rank ``k``, from 1."""
        if k < 1:
            raise InputError(f"ranks count from 1, got {k}")
        return float((self.counted["first_match_rank"] <= k).mean())

    def ranking(self, query: int, k: int = 10, *, include_ignored: bool = False) -> pd.DataFrame:
        """The gallery as ranked for one query.

        Args:
            query: position in the query list.
            k: how many counted pictures.
            include_ignored: also show the pictures nearer than the last of those that were left
                out (junk, same person by the same camera); they have no rank.

        Returns:
            Columns ``rank`` (from 1; missing where not counted), ``gallery`` (position in the
            gallery list), ``name``, ``pid``, ``camid``, ``distance``, ``match`` (same identity),
            ``valid`` (counted).
        """
        if self.ranker is None:
            raise InputError(
                "this result was loaded without its features and cannot rank; score them again"
            )
        return self.ranker.rank(query, k, include_ignored=include_ignored)

    def summary(self, *, percent: bool = False, draws: int = 1000, seed: int = 0) -> dict[str, Any]:
        """The figures in one JSON-able dictionary.

        Args:
            percent: figures in percent, rounded to two digits as tables print them, instead of
                fractions in full.
            draws: bootstrap draws of the 95 % intervals over identities; 0 for none.
            seed: of those draws.
        """
        figures = {f"rank{k}": self.rank(k) for k in SUMMARY_RANKS}
        figures |= {"mAP": self.mAP, "mAP_trapezoid": self.mAP_trapezoid, "mINP": self.mINP}
        drawn = statistics.intervals(self.per_query, draws=draws, seed=seed) if draws else {}
        # A single identity has no spread to draw from.
        intervals = {name: ends for name, ends in drawn.items() if np.isfinite(ends).all()}
        show = as_percent if percent else float
        return {
            "unit": "percent" if percent else "fraction",
            **{name: show(value) for name, value in figures.items()},
            "queries": len(self.per_query),
            "gallery": self.gallery,
            "dropped_queries": len(self.dropped),
            "interval": {name: [show(end) for end in ends] for name, ends in intervals.items()},
            "interval_over": "identities" if intervals else "",
        }

    def save(self, path: Path | str) -> None:
        """Write ``path`` (JSON: summary, CMC, card) and beside it a ``.csv`` of ``per_query``.

        Raises:
            InputError: they cannot be written.
        """
        content = {"summary": self.summary(), "cmc": self.cmc.tolist(), "card": self.card}
        save_with_table(path, content, self.per_query)

    @staticmethod
    def load(path: Path | str) -> RetrievalResult:
        """Read what ``save`` wrote; figures and tables, but no features and no rankings."""
        path = Path(path)
        content = read_json(path)
        try:
            table = pd.read_csv(path.with_suffix(".csv"), **_CSV)
            cmc = np.array(content["cmc"], dtype=float)
            gallery, card = content["summary"]["gallery"], dict(content["card"])
            missing = _COLUMNS - {*table}
        except OSError as error:
            raise InputError(f"{path} has no table of its queries beside it ({error})") from error
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{path} is not a saved result ({error!r})", "score again") from error
        figures = [name for name in _COLUMNS & {*table} if name != "INP"]
        counted = table[table["status"] == COUNTED] if not missing else table
        holes = {name for name in figures if counted[name].isna().any()}
        if missing or holes or counted.empty or not isinstance(gallery, int):
            other = "a counted query" if counted.empty else "the size of its gallery"
            lacking = ", ".join(sorted(missing | holes)) or other
            raise InputError(f"{path} is not a saved result: it lacks {lacking}", "score again")
        return RetrievalResult(per_query=table, cmc=cmc, gallery=gallery, card=card)


def _number(text: str) -> float:
    # Python reads back the very bits it wrote; the reader's own parser may be one off.
    return float(text) if text else float("nan")


_RANKS = ("first_match_rank", "last_match_rank")
_TYPES: dict[str, Any] = {
    **dict.fromkeys(("query", "pid", "camid", "positives"), "int64"),
    **dict.fromkeys(_RANKS, "Int64"),
    "status": str,
}
_READ = {"name": text_of_cell, **dict.fromkeys(("AP", "AP_trapezoid", "INP"), _number)}
_COLUMNS = {*_TYPES, *_READ}

# A picture named "NA" stays a name; only empty ranks are missing.
_CSV: dict[str, Any] = {
    "dtype": _TYPES,
    "converters": _READ,
    "na_values": {name: [""] for name in _RANKS},
    "keep_default_na": False,
}


def save_with_table(path: Path | str, content: dict[str, Any], table: pd.DataFrame) -> None:
    """Write ``content`` to ``path`` as JSON and ``table`` beside it as CSV, each whole or not."""
    path = Path(path)
    write_atomically(path.with_suffix(".csv"), csv_text(table))
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def as_percent(value: float) -> float:
    """A fraction as tables print it: percent, two digits."""
    return round(100 * float(value), 2)
