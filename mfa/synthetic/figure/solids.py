"""From body coordinates to the canvas, and the two solids that a figure is made of.

Body coordinates are shares of body height: x to the side, y down from the crown (0) to the soles
(1), z forward. ``yaw`` 0 faces the camera, pi shows the back. The solids are limbs, and stacks of
elliptic rings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mfa.synthetic.canvas import Point

Place = tuple[float, float, float]

Span = tuple[float, float]
"""From one angle or height to another."""

Ring = tuple[float, float, float]
"""y, half width, half depth."""

Row = tuple[float, float, float, float, float, float]
"""A ring on the canvas: column and row of its middle, and what sine and cosine add to each."""

ROUND = tuple(
    (math.cos(angle), math.sin(angle)) for angle in (-1.571, -1.0, -0.5, 0.0, 0.5, 1.0, 1.571)
)
FLAT = ((0.0, -1.0), (0.0, 1.0))
"""Ends of a limb: (along, across) in radii."""

FULL = (-math.pi, math.pi)
"""All around."""


class View:
    """Where a figure stands on the canvas and from where it is seen.

    Args:
        yaw: turn of the body, radians.
        centre: column of the body's axis, pixels.
        top: row of the crown, pixels.
        size: body height, pixels.
        tilt: how far a point nearer to the camera by one body height is drawn lower, as a share
            of body height: the camera looks down. An oblique projection, enough at this size.
        swell: how much wider the crown is drawn than the soles, because it is nearer to a camera
            that hangs high.
    """

    def __init__(
        self, yaw: float, centre: float, top: float, size: float, tilt: float, swell: float
    ) -> None:
        self.cos, self.sin = math.cos(yaw), math.sin(yaw)
        self.centre, self.top, self.size = centre, top, size
        self.tilt, self.swell = tilt, swell

    def scale(self, y: float) -> float:
        """Pixels for one body height across, at height ``y``."""
        return self.size * (1 + self.swell * (0.5 - y))

    def at(self, place: Place) -> Point:
        """The pixel of a place on the body."""
        x, y, z = place
        across = x * self.cos + z * self.sin
        down = y + self.swell * 0.5 * y * (1 - y) + self.tilt * self.near(place)
        return self.centre + self.scale(y) * across, self.top + self.size * down

    def near(self, place: Place) -> float:
        """How much nearer to the camera than the body's axis, in body heights."""
        return place[2] * self.cos - place[0] * self.sin


class Limb:
    """A capsule on the canvas; ``across`` is the unit vector over its width."""

    def __init__(self, view: View, p: Place, q: Place, r0: float, r1: float) -> None:
        self.p, self.q = view.at(p), view.at(q)
        self.r0, self.r1 = r0 * view.scale(p[1]), r1 * view.scale(q[1])
        dx, dy = self.q[0] - self.p[0], self.q[1] - self.p[1]
        length = math.hypot(dx, dy) or 1.0
        self.along = (dx / length, dy / length)
        self.across = (dy / length, -dx / length)

    def outline(self, *, hem: bool = False) -> list[Point]:
        """The capsule as a polygon, cut straight at its end for a ``hem``."""
        (ux, uy), (nx, ny) = self.along, self.across
        (px, py), (qx, qy), r0, r1 = self.p, self.q, self.r0, self.r1
        end = FLAT if hem else ROUND
        points = [(qx + r1 * (c * ux + s * nx), qy + r1 * (c * uy + s * ny)) for c, s in end]
        points += [(px - r0 * (c * ux + s * nx), py - r0 * (c * uy + s * ny)) for c, s in ROUND]
        return points

    def piece(self, start: float, end: float, a: float = -1, b: float = 1) -> list[Point]:
        """The part between two shares of the length and two places of the width, -1 to 1."""
        (px, py), (qx, qy), (nx, ny) = self.p, self.q, self.across
        points = []
        for along, wide in ((start, a), (start, b), (end, b), (end, a)):
            reach = wide * (self.r0 + (self.r1 - self.r0) * along)
            x, y = px + (qx - px) * along, py + (qy - py) * along
            points.append((x + nx * reach, y + ny * reach))
        return points


class Stack:
    """A body of elliptic rings around an upright axis at ``x``, ``z``: torso, skirt, head.

    A place on its surface has an angle (0 front, pi / 2 the side of positive x, pi back) and a
    height, so prints, zips and hairlines turn with the body and vanish behind it.

    Attributes:
        top, end: heights of the first and the last ring.
        facing: angle that faces the camera.
    """

    def __init__(self, view: View, rings: Sequence[Ring], x: float = 0, z: float = 0) -> None:
        self._view, self._rings, self._x, self._z = view, rings, x, z
        self.top, self.end = rings[0][0], rings[-1][0]
        width = sum(ring[1] for ring in rings)
        depth = sum(ring[2] for ring in rings)
        # The outline lies where the surface normal is square to the line of sight.
        self.facing = math.atan2(-view.sin / width, view.cos / depth)
        self._rows = [self._row(*ring) for ring in rings]

    def lane(self, a: float = -1.571, b: float = 1.571) -> list[Point]:
        """The full height between two angles from ``facing``; by default the silhouette."""
        return _polygon(self.facing + min(a, b), self.facing + max(a, b), self._rows)

    def patch(self, around: Span, down: Span) -> Iterator[list[Point]]:
        """The visible pieces of the surface between two angles and two heights."""
        between = zip(self._rings, self._rows, strict=True)
        inside = [row for ring, row in between if down[0] < ring[0] < down[1]]
        rows = [self._row_at(down[0]), *inside, self._row_at(down[1])]
        for turn in (-2 * math.pi, 0, 2 * math.pi):
            start = max(around[0] + turn, self.facing - 1.571)
            end = min(around[1] + turn, self.facing + 1.571)
            if end - start > 0.04:
                yield _polygon(start, end, rows)

    def ribbon(self, start: Span, end: Span, half: float) -> list[Point]:
        """The visible share of a slanting band; empty where none of it is seen."""
        upper, lower = [], []
        for k in range(9):
            angle = start[0] + (end[0] - start[0]) * k / 8
            if math.cos(angle - self.facing) > -0.05:
                y = start[1] + (end[1] - start[1]) * k / 8
                upper.append(_point(self._row_at(y - half), angle))
                lower.append(_point(self._row_at(y + half), angle))
        return upper + lower[::-1] if len(upper) > 1 else []

    def _row_at(self, y: float) -> Row:
        """The row at a height, interpolated; beyond the ends, as wide as the end."""
        above = self._rings[0]
        for ring in self._rings:
            if ring[0] >= y:
                span = ring[0] - above[0]
                share = (y - above[0]) / span if span > 0 else 0.0
                width = above[1] + (ring[1] - above[1]) * share
                return self._row(y, width, above[2] + (ring[2] - above[2]) * share)
            above = ring
        return self._row(y, above[1], above[2])

    def _row(self, y: float, width: float, depth: float) -> Row:
        """The projection keeps circles ellipses: six numbers make a pixel of an angle."""
        view = self._view
        column, line = view.at((self._x, y, self._z))
        across, down = view.scale(y), view.size * view.tilt
        wide, deep = across * width * view.cos, across * depth * view.sin
        return column, wide, deep, line, -down * width * view.sin, down * depth * view.cos


def _point(row: Row, angle: float) -> Point:
    x, a, b, y, d, e = row
    sine, cosine = math.sin(angle), math.cos(angle)
    return x + a * sine + b * cosine, y + d * sine + e * cosine


def _polygon(start: float, end: float, rows: Sequence[Row]) -> list[Point]:
    """Around the patch: along its top, down one side, back along the bottom, up the other."""
    steps = 1 + int((end - start) / 0.6)
    inner = [start + (end - start) * k / steps for k in range(1, steps)]
    path = [(rows[0], angle) for angle in inner]
    path += [(row, end) for row in rows]
    path += [(rows[-1], angle) for angle in reversed(inner)]
    path += [(row, start) for row in reversed(rows)]
    return [_point(row, angle) for row, angle in path]
