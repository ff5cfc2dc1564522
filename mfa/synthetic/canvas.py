"""A picture and its part mask, painted together."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from mfa.synthetic.palette import Colour

Point = tuple[float, float]


class Canvas:
    """Polygons go into the colour picture and into the mask in one call.

    Coordinates are pixels of the canvas, which is a few times larger than the final picture:
    Pillow draws polygons without smoothing, the reduction smooths them.
    """

    def __init__(self, image: Image.Image, parts: Image.Image) -> None:
        self.image = image
        self.parts = parts
        self._paint = ImageDraw.Draw(image)
        self._glaze = ImageDraw.Draw(image, "RGBA")
        self._label = ImageDraw.Draw(parts)

    @property
    def height(self) -> int:
        """Height in pixels; the unit scenery is measured in."""
        return self.image.height

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.image.width

    def fill(self, points: Sequence[Point], colour: Colour, part: int) -> None:
        """Cover a polygon with an opaque colour, and its pixels of the mask with ``part``."""
        self._paint.polygon(points, colour)
        self._label.polygon(points, part)

    def darken(self, points: Sequence[Point], alpha: int) -> None:
        """Mix black into a polygon; ``alpha`` 0 (nothing) to 255 (black). No mask."""
        self._glaze.polygon(points, (0, 0, 8, alpha))

    def lighten(self, points: Sequence[Point], alpha: int) -> None:
        """Mix white into a polygon. No mask."""
        self._glaze.polygon(points, (255, 255, 248, alpha))


class Bystanders(Canvas):
    """A canvas on which every part is one and the same: other people, things in front."""

    def __init__(self, canvas: Canvas, part: int) -> None:
        super().__init__(canvas.image, canvas.parts)
        self._part = part

    def fill(self, points: Sequence[Point], colour: Colour, part: int) -> None:
        """As ``Canvas.fill``, whatever ``part`` says."""
        super().fill(points, colour, self._part)
