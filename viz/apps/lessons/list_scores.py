"""CMC, AP and mINP of one ranked list, one match at a time, by both AP rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mfa.errors import InputError
from mfa.retrieval import metrics
from viz.apps.core import html
from viz.apps.core.controls import field, slider
from viz.apps.lessons.drawing import note
from viz.apps.lessons.lesson import Lesson


@dataclass(frozen=True)
class State:
    """Attributes: ``ranking`` of 1 (match) and 0 (wrong), ``step``: matches counted so far."""

    ranking: str = "0110010001"
    step: int = 4


class Figures(NamedTuple):
    """What a list comes to, in fractions, and the rank of its first match."""

    precision: float
    trapezoid: float
    penalty: float
    first: int


def read(ranking: str) -> np.ndarray:
    """Ranks (from 1) of the matches of a list written in 1 and 0.

    Raises:
        InputError: other signs, or no match.
    """
    signs = ranking.replace(" ", "")
    if not signs or set(signs) - {"0", "1"}:
        raise InputError(f"write the list in 1 (match) and 0 (wrong), best first; got {ranking!r}")
    ranks = np.flatnonzero(np.array(list(signs)) == "1") + 1
    if not len(ranks):
        raise InputError("a list without a match has no AP; write at least one 1")
    return ranks


def figures(ranks: np.ndarray) -> Figures:
    """AP by both rules and INP, by the scoring's own functions."""
    found = metrics.PositiveRanks(ranks, np.array([0, len(ranks)]))
    return Figures(
        float(metrics.average_precision(found)[0]),
        float(metrics.trapezoid_precision(found)[0]),
        float(metrics.inverse_negative_penalty(found)[0]),
        int(ranks[0]),
    )


class Listed(Lesson[State]):
    """See ``viz.lessons.ranked_list``."""

    name = "ranked_list"
    heading = "Lesson: from a ranked list to CMC, AP and mINP"

    def __init__(self, state: State) -> None:
        listed = field("Ranked list, 1 is a match")
        super().__init__(state, {"ranking": listed, "step": slider("Matches counted", 0, 12, 1)})

    def show(self, state: State, shown: str) -> None:
        """See ``App.show``; matches are counted up to those that the list has."""
        self.controls["step"].max = len(read(state.ranking))
        super().show(state, shown)

    def draw(self, state: State) -> str:
        """The list, a row a match counted so far, and what they sum to."""
        ranks = read(state.ranking)
        signs = state.ranking.replace(" ", "")
        counted = ranks[: state.step]
        cells = "".join(
            f"<span style='display:inline-block;width:2em;text-align:center;border:2px "
            f"{'solid #009E73' if sign == '1' else 'dashed #D55E00'};margin:2px;"
            f"opacity:{1 if not len(counted) or rank <= counted[-1] else 0.45}'>"
            f"{'✓' if sign == '1' else '✗'}<br><small>{rank}</small></span>"
            for rank, sign in enumerate(signs, start=1)
        )
        rows, steps, areas = [], 0.0, 0.0
        for number, rank in enumerate(counted, start=1):
            here = number / rank
            before = 1.0 if rank == 1 else (number - 1) / (rank - 1)
            steps, areas = steps + here, areas + (before + here) / 2
            rows.append(
                (f"match {number}", f"{rank}", f"{number}/{rank} = {here:.3f}",
                 f"({before:.3f} + {here:.3f})/2 = {(before + here) / 2:.3f}")
            )  # fmt: skip
        table = html.table(("", "rank", "step rule", "trapezoid rule"), rows)
        whole_list = figures(ranks)
        total = len(ranks)
        sums = html.figures(
            {
                f"step sum / {total}": f"{steps / total:.3f}",
                f"trapezoid sum / {total}": f"{areas / total:.3f}",
            }
        ) + html.figures(
            {
                "AP of the whole list": f"{whole_list.precision:.3f}",
                "by the trapezoid rule": f"{whole_list.trapezoid:.3f}",
                f"INP = {total}/{ranks[-1]}": f"{whole_list.penalty:.3f}",
                "first match (CMC is 1 from here on)": f"rank {whole_list.first}",
            }
        )
        curve = [float(rank >= whole_list.first) for rank in range(1, len(signs) + 1)]
        return (
            f"<div class='mfa-scroll'>{cells}</div>{table}{sums}"
            + html.curves({"CMC": curve}, "rank", "has a match been found?", steps=True)
            + note("mAP, mINP and CMC are the means of these over all queries. Say which AP rule "
                   "you used: the two differ by several points on the same list.")
        )  # fmt: skip


def ranked_list(ranking: str = "0110010001", step: int = 4) -> Listed:
    """Count one ranked list, match by match.

    Args:
        ranking: 1 for a match, 0 for a wrong picture, best first.
        step: matches counted so far.
    """
    return Listed(State(ranking, step))
