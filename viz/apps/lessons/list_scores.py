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
    """What a list comes to, in fractions."""

    precision: float
    trapezoid: float
    penalty: float


def read(ranking: str) -> np.ndarray:
    """Ranks (from 1) of the matches of a list written in 1 and 0."""
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
    rules = (
        metrics.average_precision,
        metrics.trapezoid_precision,
        metrics.inverse_negative_penalty,
    )
    return Figures(*(float(rule(found)[0]) for rule in rules))


class Listed(Lesson[State]):
    """Matches are counted up to those that the list has."""

    def show(self, state: State, shown: str) -> None:
        """See ``App.show``."""
        self.controls["step"].max = len(read(state.ranking))
        super().show(state, shown)


def draw(state: State) -> str:
    """The list, one row per match counted so far, and what they sum to."""
    ranks = read(state.ranking)
    counted, total, listed = ranks[: state.step], len(ranks), figures(ranks)
    signs = state.ranking.replace(" ", "")
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
        area = (before + here) / 2
        steps, areas = steps + here, areas + area
        step_rule = f"{number}/{rank} = {here:.3f}"
        trapezoid_rule = f"({before:.3f} + {here:.3f})/2 = {area:.3f}"
        rows.append((f"match {number}", f"{rank}", step_rule, trapezoid_rule))
    sums = {
        f"step sum / {total}": f"{steps / total:.3f}",
        f"trapezoid sum / {total}": f"{areas / total:.3f}",
    }
    whole = {
        "AP of the whole list": f"{listed.precision:.3f}",
        "by the trapezoid rule": f"{listed.trapezoid:.3f}",
        f"INP = {total}/{ranks[-1]}": f"{listed.penalty:.3f}",
        "first match (CMC is 1 from here on)": f"rank {ranks[0]}",
    }
    curve = [float(rank >= ranks[0]) for rank in range(1, len(signs) + 1)]
    return (
        f"<div class='mfa-scroll'>{cells}</div>"
        + html.table(("", "rank", "step rule", "trapezoid rule"), rows)
        + html.figures(sums)
        + html.figures(whole)
        + html.curves({"CMC": curve}, "rank", "has a match been found?", steps=True)
        + note(
            "mAP, mINP and CMC are the means of these over all queries. Say which AP rule you "
            "used: the two differ by several points on the same list."
        )
    )


def ranked_list(ranking: str = "0110010001", step: int = 4) -> Listed:
    """Count one ranked list, match by match.

    Args:
        ranking: 1 for a match, 0 for a wrong picture, best first.
        step: matches counted so far.
    """
    controls = {
        "ranking": field("Ranked list, 1 is a match"),
        "step": slider("Matches counted", 0, 12, 1),
    }
    heading = "from a ranked list to CMC, AP and mINP"
    return Listed("ranked_list", heading, State(ranking, step), controls, draw)
