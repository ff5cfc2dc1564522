"""Hard triplets on a plane: an anchor, its farthest positive, its nearest negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from mfa.losses import soft_triplet
from viz import theme
from viz.apps.core import html
from viz.apps.core.controls import slider
from viz.apps.lessons.drawing import Plane, beside, note, on_a_circle
from viz.apps.lessons.lesson import Lesson


@dataclass(frozen=True)
class State:
    """Attributes: ``anchor`` picture, ``spread`` of a person, ``margin`` of the hinge."""

    anchor: int = 6
    spread: float = 0.5
    margin: float = 0.3


class Triplet(NamedTuple):
    """The hardest triplet of an anchor: positions, distances, and both losses."""

    positive: int
    negative: int
    near: float
    far: float
    hinge: float
    soft: float


def batch(spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (16, 2) of four people and who they are; ``spread`` of a person about its place."""
    return on_a_circle(4, 0.4, spread, seed=0)


def hardest(points: np.ndarray, labels: np.ndarray, anchor: int, margin: float) -> Triplet:
    """Farthest point of the anchor's person and nearest of another; hinge and soft margin.

    hinge: max(0, margin + far - near); soft: log(1 + exp(far - near)), far to the positive.
    """
    distance = np.linalg.norm(points - points[anchor], axis=1)
    same = (labels == labels[anchor]) & (np.arange(len(points)) != anchor)
    positive = int(np.where(same, distance, -np.inf).argmax())
    negative = int(np.where(labels != labels[anchor], distance, np.inf).argmin())
    far, near = float(distance[positive]), float(distance[negative])
    hinge, soft = max(0.0, margin + far - near), float(np.logaddexp(0, far - near))
    return Triplet(positive, negative, near, far, hinge, soft)


def draw(state: State) -> str:
    """The plane, the two losses, and the batch's mean."""
    points, labels = batch(state.spread)
    anchor, found = points[state.anchor], hardest(points, labels, state.anchor, state.margin)
    plane = Plane(max(2.4, 1.05 * np.abs(points).max()), "pictures of four people")
    plane.circle(anchor, found.far + state.margin, theme.MATCH)
    plane.line(anchor, points[found.positive], theme.MATCH)
    plane.line(anchor, points[found.negative], theme.WRONG, dashed=True)
    for number, (place, person) in enumerate(zip(points, labels, strict=True)):
        plane.point(place, int(person), ring=number == state.anchor)
    mean = soft_triplet(torch.from_numpy(points).float(), torch.from_numpy(labels)).item()
    numbers = {
        "farthest positive": f"{found.far:.2f}",
        "nearest negative": f"{found.near:.2f}",
        f"hinge, margin {state.margin:.2f}": f"{found.hinge:.2f}",
        "soft margin": f"{found.soft:.2f}",
        "soft margin, mean of the batch": f"{mean:.2f}",
    }
    drawing = plane.svg(
        f"anchor {state.anchor}: farthest picture of the same person at {found.far:.2f}, "
        f"nearest of another at {found.near:.2f}"
    )
    return beside([drawing, html.figures(numbers)]) + note(
        "Solid: the farthest picture of the same person. Dashed: the nearest of another. "
        "Inside the dotted circle another person is too near for the hinge; the soft margin "
        "never quite stops pulling, and is ln 2 = 0.69 where both are equally far."
    )


def triplets(anchor: int = 6, spread: float = 0.5, margin: float = 0.3) -> Lesson[State]:
    """Play with hard triplets on a plane.

    Args:
        anchor: picture, 0 to 15.
        spread: of each person's pictures.
        margin: of the hinge.
    """
    controls = {
        "anchor": slider("Anchor", 0, 15, 1),
        "spread": slider("Spread of a person", 0, 1.2),
        "margin": slider("Margin", 0, 1.5),
    }
    state = State(anchor, spread, margin)
    return Lesson("triplets", "which triplet teaches?", state, controls, draw)
