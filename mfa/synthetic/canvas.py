"""A picture and its part mask, painted together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw

from mfa.synthetic.palette import Colour

Point = tuple[float, float]


class Canvas:
    """Polygons go into the colour picture and into the mask in one call.

    Coordinates are pixels of the canvas, which is a few times larger than the final picture:
    Pillow draws polygons without smoothing, the reduction smooths them.

    Args:
        image: RGB picture.
        parts: mask of its size, indices into ``PARTS``.
        only: the part that all polygons belong to: other people, things in front.
    """

    def __init__(self, image: Image.Image, parts: Image.Image, only: int | None = None) -> None:
        self.image, self.parts, self.only = image, parts, only
        self.width, self.height = image.size
        self._paint = ImageDraw.Draw(image)
        self._glaze = ImageDraw.Draw(image, "RGBA")
        self._label = ImageDraw.Draw(parts)

    def fill(self, points: Sequence[Point], colour: Colour, part: int) -> None:
        """Cover a polygon with an opaque colour, and its pixels of the mask with ``part``."""
        self._paint.polygon(points, colour)
        self._label.polygon(points, part if self.only is None else self.only)

    def darken(self, points: Sequence[Point], alpha: int) -> None:
        """Mix black into a polygon; ``alpha`` 0 (nothing) to 255 (black). No mask."""
        self._glaze.polygon(points, (0, 0, 8, alpha))

    def lighten(self, points: Sequence[Point], alpha: int) -> None:
        """Mix white into a polygon. No mask."""
        self._glaze.polygon(points, (255, 255, 248, alpha))


def steps(start: float, stop: float, step: float) -> Iterator[float]:
    """Places from ``start`` to before ``stop``, ``step`` apart."""
    while start < stop:
        yield start
        start += step
