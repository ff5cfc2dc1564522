"""Names written at the ends of lines: no legend to look up, none in the way of the data."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

POINTS = 72


def label_ends(ax: Axes, lines: list[Line2D], size: float = 6.5) -> None:
    """Write each line's label right of its last point, moved apart where they would overlap.

    The labels take the lines' colours. Call it when the axis limits and scale are final.
    """
    height = ax.get_window_extent().height * POINTS / ax.figure.dpi
    ends = []
    for line in lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        seen = points[np.isfinite(points).all(axis=1)]
        if len(seen):
            place = ax.transAxes.inverted().transform(ax.transData.transform(seen[-1]))[1]
            ends.append((float(place) * height, seen[-1], line))
    ends.sort(key=lambda end: end[0])
    step = 1.15 * size
    places = _apart([place for place, _, _ in ends], step)
    for place, (own, point, line) in zip(places, ends, strict=True):
        ax.annotate(
            str(line.get_label()),
            point,
            (4, place - own),
            textcoords="offset points",
            color=line.get_color(),
            fontsize=size,
            va="center",
            annotation_clip=False,
        )


def _apart(places: list[float], step: float) -> list[float]:
    """Sorted places moved to be ``step`` apart, each run of crowded ones about its own middle."""
    runs: list[list[float]] = []
    for place in places:
        run = [place]
        while runs and _middle(run) - step * (len(run) - 1) / 2 < (
            _middle(runs[-1]) + step * (len(runs[-1]) - 1) / 2 + step
        ):
            run = runs.pop() + run
        runs.append(run)
    return [
        _middle(run) + step * (position - (len(run) - 1) / 2)
        for run in runs
        for position in range(len(run))
    ]


def _middle(run: list[float]) -> float:
    return sum(run) / len(run)
