"""A sheet measured in inches on which pictures and words are placed, for grids and sheets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from viz import theme
from viz.images import load

DOTS_PER_INCH = 300
"""Of the pictures on a sheet; their files are read once and scaled to this."""

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
    *,
    faded: bool = False,
    blur_faces: bool = False,
) -> AxesImage:
    """A picture file inside ``box`` (left, top, width, height), proportions kept."""
    left, top, width, height = box
    size = (round(DOTS_PER_INCH * width), round(DOTS_PER_INCH * height))
    picture = load.load(path, size, blur_faces)
    return canvas.imshow(
        np.asarray(load.fade(picture) if faded else picture),
        extent=(left, left + width, top + height, top),
        interpolation="none",
        aspect="auto",
    )


def write(
    canvas: Axes,
    place: tuple[float, float],
    text: str,
    size: float,
    *,
    align: str = "left",
    color: str = "#222222",
    rotation: float = 0.0,
) -> None:
    """Words whose top is at ``place``; ``size`` in points."""
    x, y = place
    canvas.text(x, y, text, fontsize=size, color=color, ha=align, va="top", rotation=rotation)
