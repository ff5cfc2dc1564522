"""Things that stand in front of a person's legs."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from mfa.synthetic.canvas import Canvas, Point, steps
from mfa.synthetic.masks import OCCLUDER
from mfa.synthetic.palette import Colour, jitter, tone


class _Front:
    """Shapes measured in canvas heights, all of them part ``occluder``."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.wide = canvas.width / canvas.height

    def shape(self, points: list[Point], colour: Colour) -> None:
        self.canvas.fill(self._scaled(points), colour, OCCLUDER)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        self.shape(_corners(x0, y0, x1, y1), colour)

    def disc(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        turns = (2 * math.pi * k / 14 for k in range(14))
        self.shape([(x + rx * math.cos(t), y + ry * math.sin(t)) for t in turns], colour)

    def darken(self, points: list[Point], alpha: int) -> None:
        self.canvas.darken(self._scaled(points), alpha)

    def _scaled(self, points: list[Point]) -> list[Point]:
        unit = self.canvas.height
        return [(x * unit, y * unit) for x, y in points]


def _corners(x0: float, y0: float, x1: float, y1: float) -> list[Point]:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def _car(front: _Front, y: float, rng: Random) -> None:
    """The side of a parked car."""
    colours = ((170, 44, 44), (196, 198, 200), (54, 66, 110), (44, 46, 50), (120, 130, 120))
    paint = jitter(rng, rng.choice(colours), 8)
    left = rng.uniform(-0.5, 0.02)
    right = left + 0.95
    roof = [(left + 0.16, y + 0.09), (left + 0.26, y), (right - 0.34, y), (right - 0.2, y + 0.09)]
    front.shape(roof, tone(paint, 0.9))
    glass = [(left + 0.2, y + 0.085), (left + 0.275, y + 0.014)]
    glass += [(right - 0.355, y + 0.014), (right - 0.25, y + 0.085)]
    front.shape(glass, (70, 84, 94))
    front.box(left + 0.46, y, left + 0.48, y + 0.09, tone(paint, 0.8))
    body = [(left, y + 0.13), (left + 0.06, y + 0.085), (right - 0.05, y + 0.085)]
    body += [(right, y + 0.14), (right, 1.02), (left, 1.02)]
    front.shape(body, paint)
    front.darken(_corners(left, y + 0.2, right, 1.02), 46)
    for wheel in (left + 0.17, right - 0.18):
        front.disc(wheel, 1.0, 0.1, 0.1, (28, 28, 30))
        front.disc(wheel, 1.0, 0.05, 0.05, (130, 132, 136))


def _bush(front: _Front, y: float, rng: Random) -> None:
    """Leaves across the width."""
    green = jitter(rng, rng.choice(((62, 96, 50), (84, 108, 56), (48, 82, 60))), 6)
    front.box(-0.02, y + 0.06, front.wide + 0.02, 1.02, tone(green, 0.62))
    for level in range(7):
        row = y + 0.05 + level * 0.07
        for x in steps(-0.04, front.wide + 0.05, 0.06):
            size = rng.uniform(0.04, 0.065)
            shade = tone(green, rng.uniform(0.78, 1.2) - 0.05 * level)
            front.disc(x, row + rng.uniform(-0.02, 0.02), size * 1.2, size, shade)


def _bin(front: _Front, y: float, rng: Random) -> None:
    """One or two large bins with lids."""
    colours = ((60, 92, 66), (70, 74, 80), (52, 74, 120), (150, 120, 60))
    paint = jitter(rng, rng.choice(colours), 8)
    x = rng.uniform(0.02, 0.14)
    while x < front.wide - 0.1:
        width = rng.uniform(0.24, 0.32)
        right, dark = x + width, x + width * 0.62
        front.shape([(x, y), (right, y), (right - 0.02, 1.02), (x + 0.02, 1.02)], paint)
        front.darken([(dark, y), (right, y), (right - 0.02, 1.02), (dark, 1.02)], 44)
        front.box(x - 0.012, y - 0.022, right + 0.012, y + 0.014, tone(paint, 0.7))
        x += width + 0.03


def _fence(front: _Front, y: float, rng: Random) -> None:
    """A railing: the legs show between its bars."""
    colours = ((84, 88, 92), (150, 150, 146), (70, 96, 84), (116, 92, 70))
    paint = jitter(rng, rng.choice(colours), 8)
    step = rng.uniform(0.07, 0.095)
    for x in steps(-rng.uniform(0, 0.07), front.wide, step):
        front.box(x, y, x + 0.034, 1.02, paint)
        front.darken(_corners(x + 0.022, y, x + 0.034, 1.02), 50)
    for rail in (y + 0.015, y + 0.17):
        front.box(-0.02, rail, front.wide + 0.02, rail + 0.03, tone(paint, 0.86))


def _planter(front: _Front, y: float, rng: Random) -> None:
    """A concrete trough with flowers."""
    stone, top = jitter(rng, (164, 158, 148), 8), y + 0.07
    front.box(-0.02, top, front.wide + 0.02, 1.02, stone)
    front.darken(_corners(-0.02, top, front.wide, top + 0.02), 50)
    bloom = rng.choice(((200, 70, 90), (224, 190, 70), (190, 110, 190)))
    for x in steps(-0.02, front.wide + 0.02, 0.045):
        leaf = tone((72, 102, 58), rng.uniform(0.8, 1.15))
        front.disc(x, top - rng.uniform(0.01, 0.04), 0.035, 0.038, leaf)
        front.disc(x + 0.015, top - rng.uniform(0.02, 0.065), 0.011, 0.011, bloom)


KINDS: dict[str, Callable[[_Front, float, Random], None]] = {
    "car": _car,
    "bush": _bush,
    "bin": _bin,
    "fence": _fence,
    "planter": _planter,
}


def draw_occluder(canvas: Canvas, rng: Random, top: float, kind: str | None = None) -> str:
    """Cover the canvas from about ``top`` (share of its height) down; returns the kind."""
    chosen = kind or rng.choice(tuple(KINDS))
    KINDS[chosen](_Front(canvas), top, rng)
    return chosen
