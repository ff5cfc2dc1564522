"""Matches as a figure: both pictures once per branch, with a line for every match."""

from __future__ import annotations

from typing import Any

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.figure import Figure

from mfa.explain.matches import ENDS, Matches
from viz import theme
from viz.grids.maps import as_pictures, outline, show

THICKEST = 2.4
"""Points of the strongest line of all; half a point is added to every line."""


@theme.themed
def draw_matches(
    found: Matches,
    query_image: Any,
    gallery_image: Any,
    *,
    k: int = 12,
    width: theme.Width | float = "double",
) -> Figure:
    """Both pictures per branch, with lines between the places that make up the score together.

    A line is as thick as its part of the cosine, on one scale for all branches. Under each branch
    stands what its lines bring, and what all pairs of its places bring.

    Args:
        found: of ``mfa.match_places``.
        query_image: the same query.
        gallery_image: the same gallery picture.
        k: lines drawn per branch, the strongest.
        width: of the figure, a column's name or inches.
    """
    query, gallery = as_pictures(query_image)[0], as_pictures(gallery_image)[0]
    high, wide = query.shape[:2]
    both = np.ones((high, 5 * wide // 2, 3), query.dtype)
    both[:, :wide], both[:, -wide:] = query, gallery
    start = both.shape[1] - wide
    cell = theme.inches(width) / len(found.pairs)
    figure = theme.figure(width, cell * high / both.shape[1] + 0.5)
    axes = figure.subplots(1, len(found.pairs), squeeze=False)[0]
    points, colours = theme.fitted(cell, 18), theme.branch_colours(found.pairs)
    limit = found.lines["part"].max()
    for axis, (name, lines) in zip(axes, found.strongest(k).items(), strict=True):
        show(axis, both)
        for left in (0, start):
            outline(axis, found.stripes[name], (high, wide), left=left)
        for x, y, to_x, to_y, part in lines[ENDS].to_numpy()[::-1]:  # the strongest on top
            ends = (x * wide - 0.5, start + to_x * wide - 0.5), (y * high - 0.5, to_y * high - 0.5)
            thick = 0.5 + THICKEST * part / limit
            rim = effects.withStroke(linewidth=thick + 1, foreground="white")
            axis.plot(*ends, "o-", c=colours[name], lw=thick, ms=2.2, path_effects=[rim])
        axis.set_title(name, fontsize=points)
        words = f"{lines['part'].sum():+.3f} of {found.pairs[name]:+.3f}"
        axis.set_xlabel(words, labelpad=1, fontsize=points)
    return figure
