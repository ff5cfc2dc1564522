"""A sheet measured in inches on which pictures and words are placed, for grids and sheets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from viz import theme
from viz.images import load

DOTS_PER_INCH = 300
"""Of the pictures on a sheet."""

POINT = 1 / 72
"""Inches."""


def sheet(width: float, height: float) -> tuple[theme.Picture, Axes]:
    """A figure of that size in inches and its one Axes: x to the right, y down from the top."""
    figure = theme.Picture(figsize=(width, height))
    canvas = figure.add_axes((0, 0, 1, 1))
    canvas.set(xlim=(0, width), ylim=(height, 0))
    canvas.set_axis_off()
    return figure, canvas


def put(
    canvas: Axes,
    path: Path,
    box: tuple[float, float, float, float],
    name: str,
    *,
    faded: bool = False,
    blur_faces: bool = False,
) -> None:
    """A picture file inside ``box`` (left, top, width, height), named ``picture/NAME``."""
    left, top, width, height = box
    size = (round(DOTS_PER_INCH * width), round(DOTS_PER_INCH * height))
    picture = load.load(path, size, blur_faces)
    pixels = np.asarray(load.fade(picture) if faded else picture)
    extent = (left, left + width, top + height, top)
    image = canvas.imshow(pixels, extent=extent, interpolation="none", aspect="auto")
    image.set_gid(f"picture/{name}")


def write(
    canvas: Axes,
    place: tuple[float, float],
    text: str,
    size: float,
    *,
    align: str = "left",
    color: str = "#222222",
) -> None:
    """Words whose top is at ``place``; ``size`` in points."""
    canvas.text(*place, text, fontsize=size, color=color, ha=align, va="top")
