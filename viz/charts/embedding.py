"""Descriptors as points on a plane."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from mfa.errors import InputError
from viz import theme

RING: dict[str, Any] = {"s": 20, "facecolor": "none", "edgecolor": "black", "linewidth": 0.8}
"""Look of a query's point."""

PIXELS = 42
"""Height of a picture in place of its point, in pixels of 72 to the inch."""


@theme.themed
def plot_embedding(
    table: pd.DataFrame,
    *,
    pictures: Sequence[Any] | None = None,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """``mfa.measure_embedding`` as a scatter: one colour and marker per person, queries ringed.

    Args:
        table: ``x``, ``y``, ``pid``, ``side``.
        pictures: one for each row, (H, W, 3) or an image of PIL, drawn in place of the points; the
            frame has the person's colour, a query's is dashed.
        ax: where to draw.
        **kwargs: for ``Axes.scatter``.

    Raises:
        InputError: not one picture for each row.
    """
    ax = theme.axes(ax, "single", 3.0)
    people = _people(table)
    for pid, rows in table.groupby("pid", sort=True):
        number = people.index(pid)
        color = theme.PALETTE[number % len(theme.PALETTE)]
        # Beyond eight people colours come again, with the next marker.
        marker = theme.MARKERS[(number + number // 8) % 8]
        look = {"marker": marker, "facecolor": color, "s": 12, "linewidth": 0.4, **kwargs}
        # Yellow alone is lost on white, so each point has a grey rim.
        ax.scatter(rows["x"], rows["y"], **{"edgecolor": "#777777", "label": f"{pid}", **look})
        asked = rows[rows["side"] == "query"]
        ax.scatter(asked["x"], asked["y"], **{**look, **RING, "facecolor": color})
    if pictures is None:
        ax.scatter([], [], **RING, label="a query")
    else:
        _place(ax, table, pictures)
    ax.set(xticks=[], yticks=[], title=table.attrs.get("axes", ""))
    ax.spines[:].set_visible(True)
    if table["pid"].nunique() <= 12:
        ax.legend(title="person", loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.2)
    return ax


def _people(table: pd.DataFrame) -> list[Any]:
    """Everybody of the whole table, so that a part of it keeps its colours."""
    return list(table.attrs.get("people", sorted(set(table["pid"]))))


def _place(ax: Axes, table: pd.DataFrame, pictures: Sequence[Any]) -> None:
    """Each picture over its point."""
    if len(pictures) != len(table):
        raise InputError(
            f"{len(pictures)} pictures for {len(table)} points", "give one picture for each row"
        )
    colours = dict(zip(_people(table), itertools.cycle(theme.PALETTE), strict=False))
    points = table[["x", "y"]].to_numpy(float)
    rows = zip(points, table["pid"], table["side"], map(np.asarray, pictures), strict=True)
    for (x, y), pid, side, pixels in rows:
        style = "--" if side == "query" else "-"
        frame = {"edgecolor": colours[pid], "linewidth": 1.5, "linestyle": style}
        image = OffsetImage(pixels, zoom=PIXELS / len(pixels))
        ax.add_artist(AnnotationBbox(image, (x, y), pad=0.1, bboxprops=frame))
    ax.plot([], [], "k--", label="a query")
    ax.margins(0.12)
