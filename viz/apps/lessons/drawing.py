"""Points, lines and words on a small plane, as SVG in the page's own colours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from viz import theme

SIDE = 300
"""Pixels of a plane's side."""

SHAPES = (
    "circle r='6'",
    "rect x='-6' y='-6' width='12' height='12'",
    "polygon points='0,-6 6,6 -6,6'",
    "polygon points='0,-6 6,0 0,6 -6,0'",
    "polygon points='-6,-6 6,-6 0,6'",
)
"""A shape about zero per person, beside the colour."""


def on_a_circle(each: int, turn: float, spread: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (4 each, 2) of four people about places on the unit circle, and who they are."""
    rng = np.random.default_rng(seed)
    angle = np.pi / 2 * np.arange(4) + turn
    places = np.stack([np.cos(angle), np.sin(angle)], axis=1).repeat(each, axis=0)
    return places + spread * rng.normal(size=places.shape), np.arange(4).repeat(each)


class Plane:
    """A square of the plane; ``reach`` is the coordinate at its right and upper edge."""

    def __init__(self, reach: float, title: str = "") -> None:
        self.reach, self.title = reach, title
        self._parts: list[str] = []

    def point(
        self, place: np.ndarray, person: int, *, ring: bool = False, faint: bool = False
    ) -> None:
        """A picture of a person: colour and shape say who; ``ring`` marks it."""
        x, y = self._at(place)
        shape, colour = SHAPES[person % len(SHAPES)], theme.PALETTE[person % len(theme.PALETTE)]
        edge = "stroke='currentColor' stroke-width='2.5'" if ring else "stroke='none'"
        opacity = 0.35 if faint else 1
        self._parts.append(
            f"<{shape} transform='translate({x},{y})' fill='{colour}' {edge} opacity='{opacity}'/>"
        )

    def line(self, one: np.ndarray, two: np.ndarray, colour: str, *, dashed: bool = False) -> None:
        """A line between two places."""
        (x1, y1), (x2, y2) = self._at(one), self._at(two)
        dash = "stroke-dasharray='6 4'" if dashed else ""
        self._parts.append(
            f"<line x1='{x1}' y1='{y1}' x2='{x2}' y2='{y2}' stroke='{colour}' "
            f"stroke-width='2.5' {dash}/>"
        )

    def circle(self, place: np.ndarray, radius: float, colour: str) -> None:
        """A dashed circle of a radius in the plane's own unit."""
        x, y = self._at(place)
        r = radius / self.reach * SIDE / 2
        self._parts.append(
            f"<circle cx='{x}' cy='{y}' r='{r:.1f}' fill='none' stroke='{colour}' "
            "stroke-dasharray='3 4'/>"
        )

    def axes(self) -> None:
        """Lines through zero."""
        lines = f"M0 {SIDE / 2}H{SIDE}M{SIDE / 2} 0V{SIDE}"
        self._parts.insert(0, f"<path d='{lines}' stroke='currentColor' opacity='0.25'/>")

    def svg(self, words: str) -> str:
        """The drawing; ``words`` say what it shows to those who do not see it."""
        title = f"<text x='4' y='14'>{escape(self.title)}</text>" if self.title else ""
        return (
            f"<svg class='mfa-svg' viewBox='-1 -1 {SIDE + 2} {SIDE + 2}' width='{SIDE}' role='img' "
            f"aria-label='{escape(words)}' fill='currentColor' font-size='11'>"
            f"<rect width='{SIDE}' height='{SIDE}' fill='none' stroke='currentColor' opacity='.4'/>"
            f"{''.join(self._parts)}{title}</svg>"
        )

    def _at(self, place: np.ndarray) -> tuple[float, float]:
        x, y = ((1 + place * (1, -1) / self.reach) * SIDE / 2).round(1).tolist()
        return x, y


def heat(values: np.ndarray, *, words: str = "") -> str:
    """A matrix of values in [0, 1] as squares of 18 pixels, darker blue for more."""
    cells = "".join(
        f"<rect x='{18 * column}' y='{18 * row}' width='18' height='18' fill='#0072B2' "
        f"fill-opacity='{min(max(float(value), 0), 1):.3f}'/>"
        for (row, column), value in np.ndenumerate(values)
    )
    height, width = (18 * side for side in values.shape)
    return (
        f"<svg class='mfa-svg' viewBox='-1 -1 {width + 2} {height + 2}' width='{width}' role='img' "
        f"aria-label='{escape(words)}'><rect width='{width}' height='{height}' fill='none' "
        f"stroke='currentColor'/>{cells}</svg>"
    )


def beside(parts: Sequence[str]) -> str:
    """Drawings side by side, wrapping where the page is narrow."""
    columns = "".join(f"<div>{part}</div>" for part in parts)
    look = "display:flex;flex-wrap:wrap;gap:14px;align-items:flex-start"
    return f"<div style='{look}'>{columns}</div>"


def note(words: str) -> str:
    """A sentence below a drawing."""
    return f"<p class='mfa-note'>{escape(words)}</p>"
