"""Maps of a pair from masks: both pictures, their maps, the control, and whether hiding agrees."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, SubFigure

from mfa.explain.pair_faithfulness import MASKS, SHUFFLED
from mfa.explain.pair_maps import PairMaps
from mfa.explain.record import shared_limit
from viz import theme
from viz.grids.maps import add_scale, lay_over, show

COLOURS = {"deletion": theme.PALETTE[0], "insertion": theme.PALETTE[1]}
WORDS = {"deletion": "top hidden", "insertion": "top alone shown"}
"""Colours and words of what is hidden."""

LOOKS = {MASKS: ("-", "o"), SHUFFLED: (":", "s")}
"""Line and mark of a map and its control."""

CURVES = 2.0
"""Inches for the curves."""


@theme.themed
def draw_pair_maps(
    maps: PairMaps,
    faithfulness: pd.DataFrame | None = None,
    *,
    pictures: np.ndarray | None = None,
    width: theme.Width | float = "double",
) -> Figure:
    """Two pictures with the maps of what brings them together, by any model.

    Red places raise the cosine where they are shown, hatched blue ones lower it. The last column
    holds the control, a map of the same masks with the scores dealt out anew: what chance draws.

    Args:
        maps: of ``mfa.pair_maps``.
        faithfulness: of ``mfa.pair_faithfulness``; its curves then stand below.
        pictures: (2, 3, H, W) uint8 to draw in place of those explained, such as blurred ones.
        width: of the figure, a column's name or inches.
    """
    sides = maps.sides
    if pictures is None:
        pictures = np.stack([side.picture for side in sides.values()])
    across = theme.inches(width)
    cell = min((across - 1.0) / 6, 1.1)
    tall = cell * pictures.shape[2] / pictures.shape[3] + 0.5
    figure = theme.figure(across, tall + (0 if faithfulness is None else CURVES))
    above: Figure | SubFigure = figure
    if faithfulness is not None:
        halves = figure.subfigures(2, 1, squeeze=False, height_ratios=(tall, CURVES))
        above, below = halves[:, 0]
        _draw_curves(below, faithfulness, maps.score)
    axes = above.subplots(1, 6, squeeze=False)[0]
    limit = shared_limit([heat for side in sides.values() for heat in (side.map, *side.shuffled)])
    for place, ((name, side), pixels) in enumerate(zip(sides.items(), pictures, strict=True)):
        picture = pixels.transpose(1, 2, 0)
        own = axes[3 * place : 3 * place + 3]
        show(own[0], picture)
        for axis, heat in zip(own[1:], (side.map, side.shuffled[0]), strict=True):
            lay_over(axis, picture, heat, limit)
        for axis, title in zip(own, (name, "masks", "shuffled"), strict=True):
            axis.set_title(title, fontsize=theme.fitted(cell, 9))
    add_scale(above, axes, limit, "cosine gained by showing")
    return figure


def _draw_curves(figure: SubFigure, table: pd.DataFrame, score: float) -> None:
    """The cosine by the share hidden or shown, one chart per side; a line for the whole pair."""
    axes = figure.subplots(1, 2, sharey=True)
    for axis, (side, rows) in zip(axes, table.groupby("side", sort=False), strict=True):
        for (mode, name), curve in rows.groupby(["mode", "map"], sort=False):
            line, marker = LOOKS[str(name)]
            look = {"color": COLOURS[str(mode)], "linestyle": line, "marker": marker}
            label = f"{name}, {WORDS[str(mode)]}"
            axis.plot(100 * curve["share"], curve["cosine"], markersize=3, label=label, **look)
        axis.axhline(score, color="black", linewidth=0.7)
        axis.set_xlabel(f"share of the {side} (%)")
    axes[0].set_ylabel("cosine")
    handles = axes[0].get_legend_handles_labels()[0]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=6)
