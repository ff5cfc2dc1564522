"""Head: neck, face, hair, hat."""

from __future__ import annotations

import math

from mfa.synthetic.figure.brush import Brush
from mfa.synthetic.figure.pose import Pose
from mfa.synthetic.figure.solids import FULL, Stack
from mfa.synthetic.identity import Head, Identity
from mfa.synthetic.masks import HEAD
from mfa.synthetic.palette import Colour, tone

CENTRE, RADIUS = 0.068, 0.066
WIDE, DEEP = 0.044, 0.053
AHEAD = 0.012
"""Half sizes of the head, the height of its middle, and how far it sits before the spine."""

PROFILE = ((-1.0, 0.12), (-0.92, 0.45), (-0.7, 0.76), (-0.4, 0.95), (0.0, 1.0))
JAW = ((0.4, 0.93), (0.7, 0.76), (0.92, 0.5), (1.0, 0.3))
"""(height, -1 crown to 1 chin; share of the full width)."""

HAIR_END = {
    "short": 0.55,
    "crop": 0.4,
    "long": 2.15,
    "bob": 1.1,
    "tail": 0.7,
    "bun": 0.65,
    "curly": 0.75,
    "bald": 0.0,
}
"""How far down the back the hair reaches, in half head heights from the middle."""


class HeadShape:
    """The skull and the shell of hair around it, at one size and height."""

    def __init__(self, brush: Brush, person: Identity, pose: Pose) -> None:
        self.size = person.body.head
        self.middle = CENTRE + pose.sink
        self.view = brush.view

    def y(self, height: float) -> float:
        """Body coordinate of a height in half heads."""
        return self.middle + height * RADIUS * self.size

    def skull(self) -> Stack:
        """Skull and jaw."""
        return self._stack((*PROFILE, *JAW), 1.0)

    def shell(self, end: float, swell: float) -> Stack:
        """Hair down to ``end``, ``swell`` times as wide as the skull."""
        lower = ((0.3, 1.0), (0.45, 1.0), (0.9, 0.98), (1.5, 0.96), (2.4, 0.8))
        kept = tuple(ring for ring in lower if ring[0] < end - 0.2)
        # Short hair closes in on the nape, long hair falls in a straight edge.
        edge = ((end - 0.12, 0.96), (end, 0.9)) if end > 0.8 else ((end - 0.18, 0.98), (end, 0.72))
        return self._stack((*PROFILE, *kept, *edge) if end > 0.2 else PROFILE, swell)

    def _stack(self, profile: tuple[tuple[float, float], ...], swell: float) -> Stack:
        size = self.size * swell
        lift = (swell - 1) * RADIUS * self.size
        rings = [
            (self.y(height) - (lift if height < 0 else 0), WIDE * size * share, DEEP * size * share)
            for height, share in profile
        ]
        return Stack(self.view, rings, z=AHEAD)


def draw_head(brush: Brush, person: Identity, pose: Pose) -> None:
    """Neck to hat, back to front."""
    shape = HeadShape(brush, person, pose)
    head = person.head
    swell = {"curly": 1.3, "crop": 1.04, "bald": 1.0}.get(head.style, 1.12)
    end = HAIR_END[head.style]
    shell = shape.shell(end, swell)
    hair = tone(head.hair, 0.8)
    if head.style in ("long", "bob", "curly"):
        brush.body(shell, hair, HEAD)
    _tail(brush, shape, head, behind=True)
    neck = tone(person.body.skin, 0.84)
    brush.limb((0, 0.12 + pose.sink, 0.006), (0, 0.165 + pose.sink, 0), 0.027, 0.031, neck, HEAD)
    skull = shape.skull()
    brush.body(skull, person.body.skin, HEAD)
    _face(brush, person, shape, skull)
    if head.style != "bald":
        _hair(brush, head, shape, shell)
    brush.shade(shell if head.style != "bald" else skull, 0.9)
    _tail(brush, shape, head, behind=False)
    _hat(brush, head, shape)


def _face(brush: Brush, person: Identity, shape: HeadShape, skull: Stack) -> None:
    skin = person.body.skin
    if abs(brush.view.sin) > 0.45 and brush.view.cos > -0.5:  # A nose in profile.
        place = (0.0, shape.y(0.18), AHEAD + DEEP * shape.size * 0.98)
        brush.blob(place, 0.009, 0.012, skin, HEAD)
    dark = (44, 34, 32)
    for side in (-1, 1):
        eye = side * 0.42
        band = (shape.y(-0.1), shape.y(0.04))
        brush.patch(skull, (eye - 0.15, eye + 0.15), band, dark, HEAD)
    if person.head.glasses:
        brush.patch(skull, (-0.95, 0.95), (shape.y(-0.13), shape.y(0.1)), (30, 30, 34), HEAD)
    brush.patch(skull, (-0.1, 0.1), (shape.y(0.12), shape.y(0.34)), tone(skin, 0.86), HEAD)
    brush.patch(skull, (-0.25, 0.25), (shape.y(0.52), shape.y(0.62)), tone(skin, 0.66), HEAD)
    if person.head.beard:
        brush.patch(skull, (-1.2, 1.2), (shape.y(0.62), shape.y(1.0)), person.head.hair, HEAD)
        for cheek in (-1.1, 1.1):
            band = (shape.y(0.2), shape.y(0.7))
            brush.patch(skull, (cheek - 0.22, cheek + 0.22), band, person.head.hair, HEAD)


def _hair(brush: Brush, head: Head, shape: HeadShape, shell: Stack) -> None:
    crown = shell.rings[0][0]
    line = -0.28 if head.fringe else -0.5
    brush.patch(shell, FULL, (crown, shape.y(line)), head.hair, HEAD)
    half = {"long": 0.95, "bob": 0.85, "curly": 0.95}.get(head.style, 1.25)
    back = (half, 2 * math.pi - half)
    end = shell.rings[-1][0]
    brush.patch(shell, back, (shape.y(line) - 0.004, end), head.hair, HEAD)
    temple = (half - 0.35, 2 * math.pi - half + 0.35)
    brush.patch(shell, temple, (shape.y(line) - 0.004, shape.y(line + 0.25)), head.hair, HEAD)


def _tail(brush: Brush, shape: HeadShape, head: Head, behind: bool) -> None:
    """Ponytail or bun, painted before the head where it hangs on the far side."""
    if head.style not in ("tail", "bun") or behind != (brush.view.cos > 0):
        return
    back = AHEAD - DEEP * shape.size * 1.2
    if head.style == "bun":
        place = (0.0, shape.y(-0.55), back - 0.006)
        brush.blob(place, 0.022, 0.022, tone(head.hair, 0.9), HEAD)
        return
    root, tip = (0.0, shape.y(-0.2), back), (0.0, shape.y(1.75), back - 0.012)
    brush.limb(root, tip, 0.017, 0.011, tone(head.hair, 0.86), HEAD)


def _hat(brush: Brush, head: Head, shape: HeadShape) -> None:
    if head.hat == "none":
        return
    dome = shape.shell(0.05, 1.16)
    edge = -0.3 if head.hat != "beanie" else -0.22
    brush.patch(dome, FULL, (dome.rings[0][0], shape.y(edge)), head.hat_colour, HEAD)
    for points in dome.patch(FULL, (shape.y(edge - 0.16), shape.y(edge))):
        brush.canvas.darken(points, 40)
    if head.hat == "beanie":
        return
    visor: Colour = tone(head.hat_colour, 0.72)
    if head.hat == "brim":
        ring = [(shape.y(edge) - 0.006, 0.07, 0.078), (shape.y(edge) + 0.006, 0.076, 0.084)]
        brush.body(Stack(brush.view, ring, z=AHEAD), visor, HEAD)
    elif brush.view.cos > -0.45:
        near = (0.0, shape.y(edge - 0.02), AHEAD + DEEP * shape.size * 0.9)
        far = (0.0, shape.y(edge + 0.03), AHEAD + DEEP * shape.size * 1.75)
        wide = 0.036 * max(0.35, brush.view.cos)
        x, y = brush.view.at(near)
        u, v = brush.view.at(far)
        scale = brush.view.scale(near[1])
        thick = 0.008 * scale
        visor_points = [
            (x - wide * scale, y - thick),
            (x + wide * scale, y - thick),
            (u + wide * scale * 0.8, v + thick),
            (u - wide * scale * 0.8, v + thick),
        ]
        brush.canvas.fill(visor_points, visor, HEAD)
