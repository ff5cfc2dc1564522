"""From body coordinates to the canvas.

Body coordinates are shares of body height: x to the side, y down from the crown (0) to the soles
(1), z forward. ``yaw`` 0 faces the camera, pi shows the back.
"""

from __future__ import annotations

import math

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
