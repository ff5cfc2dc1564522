"""Points, lines and words on a small plane, as SVG in the page's own colours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from viz import theme

SIDE = 300
"""Pixels of a plane's side."""

SHAPES = (
    "<circle cx='{x}' cy='{y}' r='{r}' {look}/>",
    "<rect x='{left}' y='{top}' width='{two}' height='{two}' {look}/>",
    "<polygon points='{x},{top} {right},{bottom} {left},{bottom}' {look}/>",
    "<polygon points='{x},{top} {right},{y} {x},{bottom} {left},{y}' {look}/>",
    "<polygon points='{left},{top} {right},{top} {x},{bottom}' {look}/>",
)
"""A shape a person, beside the colour."""


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
        r = 6.0
        colour = theme.PALETTE[person % len(theme.PALETTE)]
        edge = "stroke='currentColor' stroke-width='2.5'" if ring else "stroke='none'"
        look = f"fill='{colour}' {edge} opacity='{0.35 if faint else 1}'"
        shape = SHAPES[person % len(SHAPES)]
        self._parts.append(
            shape.format(
                x=x,
                y=y,
                r=r,
                two=2 * r,
                left=x - r,
                right=x + r,
                top=y - r,
                bottom=y + r,
                look=look,
            )
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

    def words(self, place: np.ndarray, text: str) -> None:
        """A short label beside a place."""
        x, y = self._at(place)
        self._parts.append(f"<text x='{x + 8}' y='{y - 6}'>{escape(text)}</text>")

    def axes(self) -> None:
        """Lines through zero."""
        half = SIDE / 2
        self._parts.insert(
            0,
            f"<path d='M0 {half}H{SIDE}M{half} 0V{SIDE}' stroke='currentColor' opacity='0.25'/>",
        )

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
        x, y = (float(v) for v in place)
        return (
            round((x / self.reach + 1) * SIDE / 2, 1),
            round((1 - y / self.reach) * SIDE / 2, 1),
        )


def heat(values: np.ndarray, *, size: int = 18, words: str = "") -> str:
    """A matrix of values in [0, 1] as squares, darker blue for more."""
    rows, columns = values.shape
    cells = "".join(
        f"<rect x='{size * c}' y='{size * r}' width='{size}' height='{size}' "
        f"fill='#0072B2' fill-opacity='{min(max(float(values[r, c]), 0), 1):.3f}'/>"
        for r in range(rows)
        for c in range(columns)
    )
    width, height = size * columns, size * rows
    return (
        f"<svg class='mfa-svg' viewBox='-1 -1 {width + 2} {height + 2}' width='{width}' role='img' "
        f"aria-label='{escape(words)}'><rect width='{width}' height='{height}' fill='none' "
        f"stroke='currentColor'/>{cells}</svg>"
    )


def beside(parts: Sequence[str]) -> str:
    """Drawings side by side, wrapping where the page is narrow."""
    return (
        "<div style='display:flex;flex-wrap:wrap;gap:14px;align-items:flex-start'>"
        + "".join(f"<div>{part}</div>" for part in parts)
        + "</div>"
    )


def note(words: str) -> str:
    """A sentence below a drawing."""
    return f"<p class='mfa-note'>{escape(words)}</p>"
