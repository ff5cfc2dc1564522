"""Painting solids on a canvas, lit from one side."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mfa.synthetic.canvas import Canvas
from mfa.synthetic.figure.pose import Pose
from mfa.synthetic.figure.solids import Limb, Place, Ring, Span, Stack, View
from mfa.synthetic.identity import Identity
from mfa.synthetic.palette import Colour

CIRCLE = tuple((math.cos(k * math.pi / 6), math.sin(k * math.pi / 6)) for k in range(12))


class Brush:
    """A canvas, a person in a pose, the view of them, and the light that falls on them.

    Args:
        canvas: where to paint.
        view: body coordinates to pixels.
        light: -1 from the left to 1 from the right, and how hard: 0 is an overcast sky.
        person: who is painted.
        pose: how they hold their body.
    """

    def __init__(
        self, canvas: Canvas, view: View, light: float, person: Identity, pose: Pose
    ) -> None:
        self.canvas, self.view, self.person, self.pose = canvas, view, person, pose
        self.away = -1.0 if light >= 0 else 1.0
        self.hard = 0.65 + 0.5 * abs(light)

    def limb(
        self, p: Place, q: Place, r0: float, r1: float, colour: Colour, part: int, hem: bool = False
    ) -> Limb:
        """A capsule from ``p`` (radius ``r0``) to ``q`` (radius ``r1``), shaded to be round.

        ``hem`` cuts it straight at ``q``, as cloth ends. Returns the shape, for what lies on it.
        """
        limb = Limb(self.view, p, q, r0, r1)
        self.canvas.fill(limb.outline(hem=hem), colour, part)
        side = self.away if limb.across[0] >= 0 else -self.away
        for a, b, alpha in ((0.15, 1, 30), (0.6, 1, 36), (-0.82, -1, 26)):
            self.canvas.darken(limb.piece(0, 1, side * a, side * b), round(alpha * self.hard))
        light = limb.piece(0, 1, -side * 0.62, -side * 0.15)
        self.canvas.lighten(light, round(14 * self.hard))
        return limb

    def blob(self, place: Place, rx: float, ry: float, colour: Colour, part: int) -> None:
        """A flat ellipse; radii are shares of body height."""
        x, y = self.view.at(place)
        scale = self.view.scale(place[1])
        points = [(x + rx * scale * c, y + ry * scale * s) for c, s in CIRCLE]
        self.canvas.fill(points, colour, part)

    def stack(
        self, rings: Sequence[Ring], colour: Colour, part: int, x: float = 0, z: float = 0
    ) -> Stack:
        """A stack of rings in one colour, without shade."""
        stack = Stack(self.view, rings, x, z)
        self.canvas.fill(stack.lane(), colour, part)
        return stack

    def patch(self, stack: Stack, around: Span, down: Span, colour: Colour, part: int) -> None:
        """Colour the visible share of a patch on a stack's surface."""
        for points in stack.patch(around, down):
            self.canvas.fill(points, colour, part)

    def darken(self, stack: Stack, around: Span, down: Span, alpha: int) -> None:
        """Darken the visible share of a patch on a stack's surface."""
        for points in stack.patch(around, down):
            self.canvas.darken(points, alpha)

    def shade(self, stack: Stack, strength: float = 1.0) -> None:
        """Make a stack look round: dark away from the light and at the edges."""
        hard, away = self.hard * strength, self.away
        dark = ((0.2, 1.571, 26), (0.75, 1.571, 34), (1.2, 1.571, 22), (-1.1, -1.571, 26))
        for a, b, alpha in dark:
            self.canvas.darken(stack.lane(away * a, away * b), round(alpha * hard))
        self.canvas.lighten(stack.lane(-away * 0.85, -away * 0.2), round(13 * hard))
