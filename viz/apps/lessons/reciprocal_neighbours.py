"""k-reciprocal neighbours: a neighbour counts when it is one in return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from viz import theme
from viz.apps.core import html
from viz.apps.core.controls import slider
from viz.apps.lessons.drawing import Plane, beside, note
from viz.apps.lessons.lesson import Lesson


@dataclass(frozen=True)
class State:
    """Attributes: ``query`` picture, ``k`` neighbours."""

    query: int = 0
    k: int = 6


class Neighbours(NamedTuple):
    """Of one picture: its k nearest, the mutual ones, and those with the neighbours' own added."""

    nearest: np.ndarray
    mutual: np.ndarray
    expanded: np.ndarray


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Points (34, 2) of five people in crowded and in sparse places, and who they are."""
    rng = np.random.default_rng(7)
    places = np.array([[-1.2, 0.8], [-0.2, 0.9], [1.1, 0.7], [-0.8, -0.9], [0.9, -0.8]])
    counts, spreads = (6, 12, 4, 8, 4), (0.35, 0.22, 0.35, 0.3, 0.45)
    points = np.concatenate(
        [p + s * rng.normal(size=(n, 2)) for p, s, n in zip(places, spreads, counts, strict=True)]
    )
    return points, np.repeat(np.arange(5), counts)


def neighbours(points: np.ndarray, query: int, k: int) -> Neighbours:
    """Zhong et al. 2017: R(q, k) are the k nearest of q that have q among their own k nearest.

    The expansion adds R(x, k/2) of a mutual neighbour x where two thirds of it lie in R(q, k).
    The query itself is left out everywhere.
    """
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    order = distance.argsort(axis=1, kind="stable")

    def reciprocal(one: int, count: int) -> set[int]:
        return {int(x) for x in order[one, :count] if one in order[x, :count]}

    mutual = reciprocal(query, k)
    expanded = set(mutual)
    for one in mutual:
        own = reciprocal(one, round(k / 2))
        if own and len(own & (mutual | {query})) >= 2 / 3 * len(own):
            expanded |= own
    expanded.discard(query)
    return Neighbours(order[query, :k], np.array(sorted(mutual)), np.array(sorted(expanded)))


def draw(state: State) -> str:
    """The plane with solid lines to mutual neighbours, green where right, and the counts."""
    points, people = pictures()
    right = people == people[state.query]
    found = neighbours(points, state.query, state.k)
    plane = Plane(2.1, "34 pictures of five people")
    for other in found.nearest:
        colour = theme.MATCH if right[other] else theme.WRONG
        plane.line(points[state.query], points[other], colour, dashed=other not in found.mutual)
    shown = {state.query, *found.nearest.tolist(), *found.expanded.tolist()}
    for number, (place, person) in enumerate(zip(points, people, strict=True)):
        plane.point(place, int(person), ring=number == state.query, faint=number not in shown)
    numbers = {
        f"{state.k} nearest: of the query's person": found.nearest,
        "mutual ones": found.mutual,
        "with the neighbours' own": found.expanded,
    }
    counts = {name: f"{right[group].sum()} of {len(group)}" for name, group in numbers.items()}
    drawing = plane.svg(f"{len(found.mutual)} of {state.k} neighbours are mutual")
    return beside([drawing, html.figures(counts)]) + note(
        "Solid: a neighbour that has the query among its own k nearest. Dashed: one that has "
        "not. Green: of the query's person, orange: of another. Faint: in none of the three "
        "sets. Re-ranking compares pictures by the company they keep, which is the overlap of "
        "these sets."
    )


def reciprocal(query: int = 0, k: int = 6) -> Lesson[State]:
    """Play with k-reciprocal neighbours.

    Args:
        query: picture, 0 to 33.
        k: neighbours looked at.
    """
    controls = {"query": slider("Query", 0, 33, 1), "k": slider("k", 1, 16, 1)}
    return Lesson("reciprocal", "neighbours who agree", State(query, k), controls, draw)
