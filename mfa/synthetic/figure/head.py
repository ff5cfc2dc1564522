"""Head: neck, face, hair, hat."""

from __future__ import annotations

import math

from mfa.synthetic.figure.brush import Brush
from mfa.synthetic.figure.solids import FULL, Ring, Stack
from mfa.synthetic.masks import HEAD
from mfa.synthetic.palette import Colour, tone

CENTRE, RADIUS = 0.068, 0.066
WIDE, DEEP = 0.044, 0.053
AHEAD = 0.012
"""Half sizes of the head, the height of its middle, and how far it sits before the spine."""

PROFILE = ((-1.0, 0.12), (-0.92, 0.45), (-0.7, 0.76), (-0.4, 0.95), (0.0, 1.0))
JAW = ((0.4, 0.93), (0.7, 0.76), (0.92, 0.5), (1.0, 0.3))
"""(height, -1 crown to 1 chin; share of the full width)."""

HAIR = {
    "short": (0.55, 1.12, 1.25),
    "crop": (0.4, 1.04, 1.25),
    "long": (2.15, 1.12, 0.95),
    "bob": (1.1, 1.12, 0.85),
    "tail": (0.7, 1.12, 1.25),
    "bun": (0.65, 1.12, 1.25),
    "curly": (0.75, 1.3, 0.95),
    "bald": (0.0, 1.0, 1.25),
}
"""How far down the back the hair reaches, in half head heights from the middle; how much wider
than the skull it is; and the angle from the front at which it begins."""


def draw_head(brush: Brush) -> None:
    """Neck to hat, back to front."""
    painter = _HeadPainter(brush)
    painter.hair_behind()
    painter.face()
    painter.hair()
    painter.hat()


class _HeadPainter:
    """Heights are measured in half heads from the middle of the head, down."""

    def __init__(self, brush: Brush) -> None:
        self.brush, self.body, self.head = brush, brush.person.body, brush.person.head
        self.middle = CENTRE + brush.pose.sink
        self.end, self.swell, self.side = HAIR[self.head.style]
        self.shell = Stack(brush.view, self._shell(self.end, self.swell), z=AHEAD)
        self.skull: Stack

    def y(self, height: float) -> float:
        """Body coordinate of a height."""
        return self.middle + height * RADIUS * self.body.head

    def hair_behind(self) -> None:
        """Long hair and the neck before it."""
        brush, sink = self.brush, self.brush.pose.sink
        if self.head.style in ("long", "bob", "curly"):
            brush.canvas.fill(self.shell.lane(), tone(self.head.hair, 0.8), HEAD)
        if brush.view.cos > 0:
            self._tail()
        neck = tone(self.body.skin, 0.84)
        brush.limb((0, 0.12 + sink, 0.006), (0, 0.165 + sink, 0), 0.027, 0.031, neck, HEAD)

    def face(self) -> None:
        """Skull, eyes, glasses, nose, mouth, beard."""
        brush, skin, view = self.brush, self.body.skin, self.brush.view
        self.skull = brush.stack(self._rings((*PROFILE, *JAW), 1.0), skin, HEAD, z=AHEAD)
        if abs(view.sin) > 0.45 and view.cos > -0.5:  # A nose in profile.
            place = (0.0, self.y(0.18), AHEAD + DEEP * self.body.head * 0.98)
            brush.blob(place, 0.009, 0.012, skin, HEAD)
        for side in (-1, 1):
            self._mark(side * 0.42, 0.15, -0.1, 0.04, (44, 34, 32))
        if self.head.glasses:
            self._mark(0, 0.95, -0.13, 0.1, (30, 30, 34))
        self._mark(0, 0.1, 0.12, 0.34, tone(skin, 0.86))
        self._mark(0, 0.25, 0.52, 0.62, tone(skin, 0.66))
        if self.head.beard:
            self._mark(0, 1.2, 0.62, 1.0, self.head.hair)
            for cheek in (-1.1, 1.1):
                self._mark(cheek, 0.22, 0.2, 0.7, self.head.hair)

    def hair(self) -> None:
        """Crown, back, temples, and a tail that hangs on the near side; then the shade."""
        brush, shell, colour = self.brush, self.shell, self.head.hair
        if self.head.style == "bald":
            brush.shade(self.skull, 0.9)
            return
        line = -0.28 if self.head.fringe else -0.5
        top = self.y(line) - 0.004
        brush.patch(shell, FULL, (shell.top, self.y(line)), colour, HEAD)
        brush.patch(shell, (self.side, 2 * math.pi - self.side), (top, shell.end), colour, HEAD)
        temples = (self.side - 0.35, 2 * math.pi - self.side + 0.35)
        brush.patch(shell, temples, (top, self.y(line + 0.25)), colour, HEAD)
        brush.shade(shell, 0.9)
        if brush.view.cos <= 0:
            self._tail()

    def hat(self) -> None:
        """The dome, and the brim or the visor."""
        brush, head, view = self.brush, self.head, self.brush.view
        if head.hat == "none":
            return
        dome = Stack(view, self._shell(0.05, 1.16), z=AHEAD)
        height = -0.22 if head.hat == "beanie" else -0.3
        edge = self.y(height)
        brush.patch(dome, FULL, (dome.top, edge), head.hat_colour, HEAD)
        brush.darken(dome, FULL, (self.y(height - 0.16), edge), 40)
        dark = tone(head.hat_colour, 0.72)
        if head.hat == "brim":
            rings = [(edge - 0.006, 0.07, 0.078), (edge + 0.006, 0.076, 0.084)]
            brush.stack(rings, dark, HEAD, z=AHEAD)
        elif head.hat == "cap" and view.cos > -0.45:
            near = (0.0, self.y(height - 0.02), AHEAD + DEEP * self.body.head * 0.9)
            (x, y), scale = view.at(near), view.scale(near[1])
            u, v = view.at((0.0, self.y(height + 0.03), AHEAD + DEEP * self.body.head * 1.75))
            wide, thick = 0.036 * max(0.35, view.cos) * scale, 0.008 * scale
            above = [(x - wide, y - thick), (x + wide, y - thick)]
            below = [(u + wide * 0.8, v + thick), (u - wide * 0.8, v + thick)]
            brush.canvas.fill(above + below, dark, HEAD)

    def _mark(self, middle: float, half: float, top: float, end: float, colour: Colour) -> None:
        """A patch on the face, around an angle and between two heights."""
        around, down = (middle - half, middle + half), (self.y(top), self.y(end))
        self.brush.patch(self.skull, around, down, colour, HEAD)

    def _tail(self) -> None:
        """Ponytail or bun."""
        head, back = self.head, AHEAD - DEEP * self.body.head * 1.2
        if head.style == "bun":
            place = (0.0, self.y(-0.55), back - 0.006)
            self.brush.blob(place, 0.022, 0.022, tone(head.hair, 0.9), HEAD)
        elif head.style == "tail":
            root, tip = (0.0, self.y(-0.2), back), (0.0, self.y(1.75), back - 0.012)
            self.brush.limb(root, tip, 0.017, 0.011, tone(head.hair, 0.86), HEAD)

    def _shell(self, end: float, swell: float) -> list[Ring]:
        """Hair or hat down to ``end``, ``swell`` times as wide as the skull."""
        if end <= 0.2:
            return self._rings(PROFILE, swell)
        lower = ((0.3, 1.0), (0.45, 1.0), (0.9, 0.98), (1.5, 0.96), (2.4, 0.8))
        kept = [ring for ring in lower if ring[0] < end - 0.2]
        # Short hair closes in on the nape, long hair falls in a straight edge.
        edge = ((end - 0.12, 0.96), (end, 0.9)) if end > 0.8 else ((end - 0.18, 0.98), (end, 0.72))
        return self._rings((*PROFILE, *kept, *edge), swell)

    def _rings(self, profile: tuple[tuple[float, float], ...], swell: float) -> list[Ring]:
        size, lift = self.body.head * swell, (swell - 1) * RADIUS * self.body.head
        return [
            (self.y(height) - (lift if height < 0 else 0), WIDE * size * share, DEEP * size * share)
            for height, share in profile
        ]
