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
        self.yaw = yaw
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
        near = z * self.cos - x * self.sin
        down = y + self.swell * 0.5 * y * (1 - y) + self.tilt * near
        return self.centre + self.scale(y) * across, self.top + self.size * down

    def near(self, place: Place) -> float:
        """How much nearer to the camera than the body's axis, in body heights."""
        return place[2] * self.cos - place[0] * self.sin


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

    def lane(self, a: float, b: float) -> list[Point]:
        """A strip along the limb between two places of its width, -1 to 1."""
        return self.piece(0, 1, a, b)

    def piece(self, start: float, end: float, a: float = -1, b: float = 1) -> list[Point]:
        """The part between two shares of the length and two places of the width."""
        (px, py), (qx, qy), (nx, ny) = self.p, self.q, self.across
        points = []
        for along, wide in ((start, a), (start, b), (end, b), (end, a)):
            reach = wide * (self.r0 + (self.r1 - self.r0) * along)
            points.append(
                (px + (qx - px) * along + nx * reach, py + (qy - py) * along + ny * reach)
            )
        return points


class Stack:
    """A body of elliptic rings around an upright axis at ``x``, ``z``: torso, skirt, head.

    A place on its surface has an angle (0 front, pi / 2 the side of positive x, pi back) and a
    height, so prints, zips and hairlines turn with the body and vanish behind it.
    """

    def __init__(self, view: View, rings: Sequence[Ring], x: float = 0, z: float = 0) -> None:
        self.view, self.rings, self.x, self.z = view, rings, x, z
        width = sum(ring[1] for ring in rings)
        depth = sum(ring[2] for ring in rings)
        # The outline lies where the surface normal is square to the line of sight.
        self.facing = math.atan2(-view.sin / width, view.cos / depth)
        self._rows = [self._row(ring) for ring in rings]

    def outline(self) -> list[Point]:
        """The silhouette as a polygon."""
        return self.lane(-1.571, 1.571)

    def lane(self, a: float, b: float) -> list[Point]:
        """The full height between two angles measured from the one that faces the camera."""
        low, high = (a, b) if a < b else (b, a)
        return _polygon(self.facing + low, self.facing + high, self._rows)

    def patch(
        self, around: tuple[float, float], down: tuple[float, float]
    ) -> Iterator[list[Point]]:
        """The visible pieces of the surface between two angles and two heights."""
        rows = self._between(*down)
        low, high = self.facing - 1.571, self.facing + 1.571
        for turn in (-2 * math.pi, 0, 2 * math.pi):
            start, end = max(around[0] + turn, low), min(around[1] + turn, high)
            if end - start > 0.04:
                yield _polygon(start, end, rows)

    def ribbon(
        self, start: tuple[float, float], end: tuple[float, float], half: float
    ) -> list[Point]:
        """The visible share of a slanting band; empty where none of it is seen."""
        upper, lower = [], []
        for k in range(9):
            angle = start[0] + (end[0] - start[0]) * k / 8
            if math.cos(angle - self.facing) > -0.05:
                y = start[1] + (end[1] - start[1]) * k / 8
                upper.append(_point(self._row(self._ring(y - half)), angle))
                lower.append(_point(self._row(self._ring(y + half)), angle))
        return upper + lower[::-1] if len(upper) > 1 else []

    def _between(self, top: float, bottom: float) -> list[Row]:
        rows = [self._row(self._ring(top))]
        for ring, row in zip(self.rings, self._rows, strict=True):
            if top < ring[0] < bottom:
                rows.append(row)
        rows.append(self._row(self._ring(bottom)))
        return rows

    def _ring(self, y: float) -> Ring:
        """The ring at a height, interpolated; beyond the ends, as wide as the end."""
        above = self.rings[0]
        for ring in self.rings:
            if ring[0] >= y:
                span = ring[0] - above[0]
                share = (y - above[0]) / span if span > 0 else 0.0
                width = above[1] + (ring[1] - above[1]) * share
                return y, width, above[2] + (ring[2] - above[2]) * share
            above = ring
        return y, above[1], above[2]

    def _row(self, ring: Ring) -> Row:
        """The projection keeps circles ellipses: six numbers make a pixel of an angle."""
        y, width, depth = ring
        view = self.view
        column, line = view.at((self.x, y, self.z))
        across, down = view.scale(y), view.size * view.tilt
        return (
            column,
            across * width * view.cos,
            across * depth * view.sin,
            line,
            -down * width * view.sin,
            down * depth * view.cos,
        )


def _point(row: Row, angle: float) -> Point:
    sine, cosine = math.sin(angle), math.cos(angle)
    return (
        row[0] + row[1] * sine + row[2] * cosine,
        row[3] + row[4] * sine + row[5] * cosine,
    )


def _polygon(start: float, end: float, rows: Sequence[Row]) -> list[Point]:
    """Around the patch: along its top, down one side, back along the bottom, up the other."""
    steps = 1 + int((end - start) / 0.6)
    inner = [start + (end - start) * k / steps for k in range(1, steps)]
    points = [_point(rows[0], angle) for angle in inner]
    s, c = math.sin(end), math.cos(end)
    points += [(x + a * s + b * c, y + d * s + e * c) for x, a, b, y, d, e in rows]
    points += [_point(rows[-1], angle) for angle in reversed(inner)]
    s, c = math.sin(start), math.cos(start)
    points += [(x + a * s + b * c, y + d * s + e * c) for x, a, b, y, d, e in reversed(rows)]
    return points
