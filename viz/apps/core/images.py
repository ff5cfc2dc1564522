"""Pictures as bytes for the page, and maps laid over them."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import PIL.Image
from matplotlib.figure import Figure
from PIL import ImageDraw

from mfa.datasets.loading.decode import file_version
from mfa.explain.geometry import MapGrid
from viz.images import load, overlay

SHOWN = (256, 128)
"""(height, width) maps are drawn at."""

SMALL = (128, 64)
"""(height, width) of a card's picture."""


class Image(Protocol):
    """A picture that can be shown: one of a list, or a visitor's own."""

    @property
    def name(self) -> str:
        """File name."""

    def pixels(self, height: int, width: int) -> np.ndarray:
        """(height, width, 3) uint8, not to be written to."""


def jpeg(picture: np.ndarray | PIL.Image.Image) -> bytes:
    """A picture as JPEG."""
    image = picture if isinstance(picture, PIL.Image.Image) else PIL.Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def side_by_side(left: bytes, right: bytes) -> bytes:
    """Two small pictures as one, as JPEG."""
    pictures = [PIL.Image.open(io.BytesIO(data)) for data in (left, right)]
    width = sum(picture.width for picture in pictures)
    both = PIL.Image.new("RGB", (width + 2, max(picture.height for picture in pictures)), "white")
    both.paste(pictures[0], (0, 0))
    both.paste(pictures[1], (both.width - pictures[1].width, 0))
    return jpeg(both)


def thumbnail(path: Path) -> bytes:
    """A picture file as cards show it, as JPEG; a broken one is drawn as broken."""
    return _thumbnail(path, file_version(path))


@lru_cache(maxsize=2048)
def _thumbnail(path: Path, version: tuple[int, int]) -> bytes:
    """``version`` makes a changed file another key."""
    return jpeg(load.load(path, (SMALL[1], SMALL[0])))


def laid_over(
    picture: np.ndarray,
    heat: np.ndarray,
    limit: float,
    *,
    grid: MapGrid | None = None,
    opacity: float = 1.0,
    stripe: tuple[float, float] | None = None,
    mark: tuple[int, int] | None = None,
) -> bytes:
    """A map (h, w) over a picture (H, W, 3) as JPEG.

    Args:
        picture: uint8.
        heat: as large as the picture, or with a ``grid``.
        limit: end of the colour scale.
        grid: where the pixels of a smaller map lie in the picture.
        opacity: 0 shows the picture alone, 1 the map as figures show it.
        stripe: (top, bottom) of the branch's stripe in shares of the height, drawn dashed.
        mark: (row, column) of a white cross, in pixels of the picture.
    """
    height, width = picture.shape[:2]
    if grid is not None:
        heat = grid.enlarge(heat, (height, width))
    tinted = overlay.overlay(picture, heat, limit=limit)
    mixed = (1 - opacity) * picture.astype(np.float32) + opacity * tinted
    image = PIL.Image.fromarray(mixed.astype(np.uint8))
    pen = ImageDraw.Draw(image)
    if stripe is not None:
        _dashed(pen, round(stripe[0] * (height - 1)), round(stripe[1] * (height - 1)), width)
    if mark is not None:
        _cross(pen, mark)
    return jpeg(image)


def saved(figure: Figure, kind: str, *, dots: int = 150) -> bytes:
    """A figure as PNG, PDF or SVG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=dots)
    return buffer.getvalue()


def _dashed(pen: ImageDraw.ImageDraw, top: int, bottom: int, width: int) -> None:
    for x in range(0, width, 10):
        for y in (top, bottom):
            pen.line((x, y, min(x + 5, width - 1), y), fill="white", width=3)
            pen.line((x, y, min(x + 5, width - 1), y), fill="black", width=1)


def _cross(pen: ImageDraw.ImageDraw, place: tuple[int, int]) -> None:
    y, x = place
    for colour, thick in (("black", 5), ("white", 2)):
        pen.line((x - 8, y, x + 8, y), fill=colour, width=thick)
        pen.line((x, y - 8, x, y + 8), fill=colour, width=thick)
