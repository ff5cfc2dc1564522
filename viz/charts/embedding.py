"""Descriptors as points on a plane."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from viz import theme

RING: dict[str, Any] = {"s": 20, "facecolor": "none", "edgecolor": "black", "linewidth": 0.8}
"""Look of a query's point."""


@theme.themed
def plot_embedding(table: pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """``mfa.measure_embedding`` as a scatter: one colour and marker per person, queries ringed.

    Args:
        table: ``x``, ``y``, ``pid``, ``side``.
        ax: where to draw.
        **kwargs: for ``Axes.scatter``.
    """
    ax = theme.axes(ax, "single", 3.0)
    for number, (pid, rows) in enumerate(table.groupby("pid", sort=True)):
        color = theme.PALETTE[number % len(theme.PALETTE)]
        # Beyond eight people colours come again, with the next marker.
        marker = theme.MARKERS[(number + number // 8) % 8]
        look = {"marker": marker, "facecolor": color, "s": 12, "linewidth": 0.4, **kwargs}
        # Yellow alone is lost on white, so each point has a grey rim.
        ax.scatter(rows["x"], rows["y"], **{"edgecolor": "#777777", "label": f"{pid}", **look})
        asked = rows[rows["side"] == "query"]
        ax.scatter(asked["x"], asked["y"], **{**look, **RING, "facecolor": color})
    ax.scatter([], [], **RING, label="a query")
    ax.set(xticks=[], yticks=[], title=table.attrs.get("axes", ""))
    ax.spines[:].set_visible(True)
    if table["pid"].nunique() <= 12:
        ax.legend(title="person", loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.2)
    return ax
