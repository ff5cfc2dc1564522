"""Correspondence as a figure: a place of the query, and where each branch finds it."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from mfa.explain.correspondence import Correspondence
from mfa.explain.record import shared_limit
from viz import theme
from viz.grids.maps import add_scale, as_pictures, lay_over, outline, show


@theme.themed
def draw_correspondence(
    found: Correspondence,
    query_image: Any,
    gallery_image: Any,
    *,
    width: theme.Width | float = "double",
) -> Figure:
    """The query with its point, and the gallery picture with each branch's map and its peak.

    All maps share one scale. The number under a map is the sum of that map.

    Args:
        found: of ``correspond``.
        query_image: the same query.
        gallery_image: the same gallery picture.
        width: of the figure, a column's name or inches.
    """
    query, gallery = as_pictures(query_image)[0], as_pictures(gallery_image)[0]
    columns = len(found.maps) + 1
    cell = (theme.inches(width) - 1.0) / columns
    figure = theme.figure(width, cell * gallery.shape[0] / gallery.shape[1] + 0.5)
    axes = figure.subplots(1, columns, squeeze=False)
    show(axes[0, 0], query)
    points = theme.fitted(cell, 9)
    axes[0, 0].set_title("query", fontsize=points)
    _mark(axes[0, 0], found.point)
    limit = shared_limit(list(found.maps.values()))
    for axis, (name, heat) in zip(axes[0, 1:], found.maps.items(), strict=True):
        lay_over(axis, gallery, found.grids[name].enlarge(heat, gallery.shape[:2]), limit)
        if name in found.stripes:
            outline(axis, found.stripes[name], gallery.shape[:2])
        if heat.max() > 0:
            _mark(axis, found.peaks[name])
        axis.set_title(name, fontsize=points)
        axis.set_xlabel(f"{heat.sum():+.4f}", labelpad=1, fontsize=points)
    add_scale(figure, axes, limit, "part of the cosine")
    return figure


def _mark(axis: Any, place: tuple[int, int]) -> None:
    axis.plot(place[1], place[0], "+", color="white", markersize=9, markeredgewidth=3)
    axis.plot(place[1], place[0], "+", color="black", markersize=8, markeredgewidth=1.2)
