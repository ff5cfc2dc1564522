"""Common parts as a figure: one colour per concept, and each concept's part of the cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from mfa.errors import InputError
from mfa.explain.concepts import CommonParts
from mfa.explain.geometry import MapGrid
from viz import theme
from viz.grids.maps import as_pictures, show
from viz.images.overlay import as_bytes, greyed

SCALE = 0.6
"""Inches of the axis of the bars."""


@theme.themed
def draw_common_parts(
    parts: CommonParts, images: Any, *, width: theme.Width | float = "double"
) -> Figure:
    """The pictures coloured by concept, and each concept's part of the cosine under them.

    Args:
        parts: of ``common_parts``.
        images: the same pictures.
        width: of the figure.

    Raises:
        InputError: another number of pictures.
    """
    pictures = as_pictures(images)
    if len(pictures) != len(parts.weights):
        raise InputError(f"{len(pictures)} pictures but parts of {len(parts.weights)}")
    cell = (theme.inches(width) - SCALE) / len(pictures)
    points = theme.fitted(cell, 7)
    tall = cell * pictures.shape[1] / pictures.shape[2]
    figure = theme.figure(width, 2 * tall + 1.5)
    axes = figure.subplots(3, len(pictures), squeeze=False, height_ratios=(tall, tall, 1.1))
    kinds = parts.weights.shape[1]
    colours = np.array([to_rgb(colour) for colour in theme.PALETTE[:kinds]])
    limit = max(0.01, float(np.abs(parts.shares).max()) * 1.1)
    for i, column in enumerate(axes.T):
        show(column[0], pictures[i])
        show(column[1], paint(pictures[i], parts.weights[i], parts.grid, colours))
        column[0].set_title("query" if i == 0 else f"{parts.scores[i - 1]:.3f}", fontsize=points)
        if i == 0:
            column[2].set_axis_off()
            continue
        column[2].bar(range(kinds), parts.shares[i - 1], color=colours)
        column[2].axhline(0, color="black", linewidth=0.6)
        column[2].set_ylim(-limit, limit)
        column[2].set_xticks([])
        column[2].set_xlabel(f"bias\n{parts.bias[i - 1]:+.2f}", fontsize=min(points, 6))
        if i > 1:
            column[2].set_yticklabels([])
        else:
            column[2].set_ylabel("part of the cosine")
    return figure


def paint(
    picture: np.ndarray, weights: np.ndarray, grid: MapGrid, colours: np.ndarray
) -> np.ndarray:
    """A picture tinted by the concept each place holds most of, as strongly as it holds it.

    Args:
        picture: (H, W, 3).
        weights: (K, h, w).
        grid: where the pixels of the weights lie.
        colours: (K, 3) in [0, 1].
    """
    fine = grid.enlarge(weights, picture.shape[:2])
    strength = fine.max(axis=0)
    opacity = 0.75 * np.clip(strength / max(float(strength.max()), 1e-12), 0, 1)[..., None]
    tint = 255 * colours[fine.argmax(axis=0)]
    return as_bytes((1 - opacity) * greyed(picture, 0.8) + opacity * tint)
