"""Painting solids on a canvas, lit from one side."""

from __future__ import annotations

import math

from mfa.synthetic.canvas import Canvas
from mfa.synthetic.figure.solids import Limb, Place, Stack, View
from mfa.synthetic.palette import Colour

CIRCLE = tuple((math.cos(k * math.pi / 6), math.sin(k * math.pi / 6)) for k in range(12))


class Brush:
    """A canvas, a view of one figure, and the light that falls on it.

    Args:
        canvas: where to paint.
        view: body coordinates to pixels.
        light: -1 from the left to 1 from the right, and how hard: 0 is an overcast sky.
    """

    def __init__(self, canvas: Canvas, view: View, light: float) -> None:
        self.canvas, self.view = canvas, view
        self.away = -1.0 if light >= 0 else 1.0
        self.hard = 0.65 + 0.5 * abs(light)

    def limb(
        self,
        p: Place,
        q: Place,
        r0: float,
        r1: float,
        colour: Colour,
        part: int,
        *,
        hem: bool = False,
    ) -> Limb:
        """A capsule from ``p`` (radius ``r0``) to ``q`` (radius ``r1``), shaded to be round.

        ``hem`` cuts it straight at ``q``, as cloth ends. Returns the shape, for what lies on it.
        """
        limb = Limb(self.view, p, q, r0, r1)
        self.canvas.fill(limb.outline(hem=hem), colour, part)
        side = self.away if limb.across[0] >= 0 else -self.away
        self.canvas.darken(limb.lane(side * 0.15, side), round(30 * self.hard))
        self.canvas.darken(limb.lane(side * 0.6, side), round(36 * self.hard))
        self.canvas.darken(limb.lane(-side * 0.82, -side), round(26 * self.hard))
        self.canvas.lighten(limb.lane(-side * 0.62, -side * 0.15), round(14 * self.hard))
        return limb

    def blob(self, place: Place, rx: float, ry: float, colour: Colour, part: int) -> None:
        """A flat ellipse; radii are shares of body height."""
        x, y = self.view.at(place)
        scale = self.view.scale(place[1])
        points = [(x + rx * scale * c, y + ry * scale * s) for c, s in CIRCLE]
        self.canvas.fill(points, colour, part)

    def body(self, stack: Stack, colour: Colour, part: int) -> None:
        """The whole of a stack in one colour, without shade."""
        self.canvas.fill(stack.outline(), colour, part)

    def patch(
        self,
        stack: Stack,
        around: tuple[float, float],
        down: tuple[float, float],
        colour: Colour,
        part: int,
    ) -> None:
        """Colour the visible share of a patch on a stack's surface."""
        for points in stack.patch(around, down):
            self.canvas.fill(points, colour, part)

    def ribbon(
        self,
        stack: Stack,
        start: tuple[float, float],
        end: tuple[float, float],
        half: float,
        colour: Colour,
        part: int,
    ) -> None:
        """A band ``2 * half`` high from one place (angle, y) of a surface to another."""
        points = stack.ribbon(start, end, half)
        if points:
            self.canvas.fill(points, colour, part)

    def shade(self, stack: Stack, strength: float = 1.0) -> None:
        """Make a stack look round: dark away from the light and at the edges."""
        hard, away = self.hard * strength, self.away
        for start, end, alpha in ((0.2, 1.571, 26), (0.75, 1.571, 34), (1.2, 1.571, 22)):
            self.canvas.darken(stack.lane(away * start, away * end), round(alpha * hard))
        self.canvas.darken(stack.lane(-away * 1.1, -away * 1.571), round(26 * hard))
        self.canvas.lighten(stack.lane(-away * 0.85, -away * 0.2), round(13 * hard))
