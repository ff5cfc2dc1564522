"""BNNeck: two losses that want two different spaces, and the layer between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from viz.apps.core import html
from viz.apps.core.controls import slider
from viz.apps.lessons.drawing import Plane, beside, note, on_a_circle
from viz.apps.lessons.lesson import Lesson


@dataclass(frozen=True)
class State:
    """Attributes: ``offset`` all pictures share, ``stretch`` of one direction, ``spread``."""

    offset: float = 3.0
    stretch: float = 3.0
    spread: float = 0.3


def pooled(offset: float, stretch: float, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Pooled vectors (32, 2) of four people: an offset in common, one direction stretched."""
    points, labels = on_a_circle(8, 0.5, spread, seed=1)
    return points * np.array([stretch, 1.0]) + offset, labels


def necked(points: np.ndarray) -> np.ndarray:
    """After BNNeck without scale and shift: every coordinate with mean 0 and deviation 1."""
    result: np.ndarray = (points - points.mean(axis=0)) / np.sqrt(points.var(axis=0) + 1e-5)
    return result


def separation(points: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Mean cosine between pictures of one person, and between pictures of different people."""
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    cosine = unit @ unit.T
    same = labels[:, None] == labels[None]
    other = ~same
    np.fill_diagonal(same, False)
    return float(cosine[same].mean()), float(cosine[other].mean())


def draw(state: State) -> str:
    """Both spaces, and the cosines in them."""
    points, labels = pooled(state.offset, state.stretch, state.spread)
    spaces = {
        "pooled (triplet, center)": points,
        "after BNNeck (identity, ranking)": necked(points),
    }
    parts, numbers = [], {}
    for title, places in spaces.items():
        plane = Plane(float(np.abs(places).max()) * 1.15, title)
        plane.axes()
        for place, person in zip(places, labels, strict=True):
            plane.point(place, int(person))
        same, other = separation(places, labels)
        parts.append(plane.svg(f"{title}: cosine {same:.2f} within, {other:.2f} between people"))
        word = title.split()[0]
        numbers[f"{word}: cosine of one person"] = f"{same:+.2f}"
        numbers[f"{word}: of different people"] = f"{other:+.2f}"
    words = (
        "The more all pictures have in common, the more alike are the directions of pooled vectors "
        "seen from zero (the lines), and the cosine cannot tell people apart. BNNeck removes the "
        "common part and gives every direction the same width, so that the cosine can. The triplet "
        "loss keeps the space it likes."
    )
    return beside(parts) + html.figures(numbers) + note(words)


def bnneck(offset: float = 3.0, stretch: float = 3.0, spread: float = 0.3) -> Lesson[State]:
    """Play with BNNeck.

    Args:
        offset: what all pooled vectors have in common.
        stretch: of the first direction.
        spread: of each person's pictures.
    """
    controls = {
        "offset": slider("What all have in common", 0, 6),
        "stretch": slider("Stretch of one direction", 0.5, 6),
        "spread": slider("Spread of a person", 0, 1),
    }
    state = State(offset, stretch, spread)
    return Lesson("bnneck", "before and after BNNeck", state, controls, draw)
