"""Attention in charts: where the branches look, and what hiding it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mfa.errors import InputError
from mfa.explain.tables import (
    EDGES,
    EVEN,
    FUSED,
    SHUFFLED,
    SILHOUETTE,
    persons_of,
    summarise,
)
from viz import theme

POINTS = {"trained": theme.WHOLE, "random": "white"}
"""Weights that ``plot_attention`` draws, and what its marks are filled with."""

CONTROLS = {
    "random weights": "#555555",
    SHUFFLED: "#999999",
    SILHOUETTE: "#8a6d3b",
    EDGES: "#b0895a",
}
"""Colours of maps that explain nothing; they are drawn dashed and hollow."""

MEASURES = {
    "centroid": "vertical centroid\n(0 top, 1 bottom)",
    "pointing": "highest point\non the person (share)",
    "person": "on the person (share)",
    "cosine": "cosine of two maps",
    "iou": "overlap of the\nhighest fifths (IoU)",
    "in order": "in order (share of pictures)",
}

REGIONS = ("head", "torso", "arms", "thighs", "shins", "bag", "background", "occluder", "other")


@theme.themed
def plot_attention_regions(
    summary: pd.DataFrame,
    *,
    condition: str = "all",
    weights: str = "trained",
    measures: Sequence[str] = REGIONS,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """Share of each branch's map on each region, with 95 % intervals.

    A short black line is what a map without preference would have: the region's own share of the
    picture.

    Args:
        summary: ``Attention.summary()``.
        condition: group of pictures.
        weights: ``trained`` or ``random``.
        measures: regions, from left to right.
        ax: where to draw.
        **kwargs: for ``Axes.errorbar``.

    Raises:
        InputError: the summary has no such rows.
    """
    rows = summary[(summary["condition"] == condition) & (summary["weights"] == weights)]
    rows = rows[rows["measure"].isin(measures)]
    if rows.empty:
        raise InputError(f"the summary has no rows of {weights} weights on {condition!r} pictures")
    measures = [name for name in measures if (rows["measure"] == name).any()]
    ax = theme.axes(ax, "double", 2.4)
    branches = [name for name in rows["branch"].unique() if name != EVEN]
    colours = _colours(branches)
    step = 0.8 / len(branches)
    for place, branch in enumerate(branches):
        own = rows[rows["branch"] == branch].set_index("measure").reindex(measures)
        x = np.arange(len(measures)) + (place - (len(branches) - 1) / 2) * step
        look = {"color": colours[branch], "fmt": theme.MARKERS[place % len(theme.MARKERS)]}
        _points(ax, x, own, **{**look, "label": branch, **kwargs})
    even = rows[rows["branch"] == EVEN].set_index("measure").reindex(measures)["mean"]
    places = np.arange(len(measures))
    ax.hlines(100 * even, places - 0.42, places + 0.42, color="black", linewidth=1, label=EVEN)
    theme.categories(ax, measures)
    ax.set_ylabel("share of positive map (%)")
    ax.set_ylim(bottom=0)
    theme.legend_above(ax, len(branches) + 1, 0.5, borderpad=None)
    return ax


@theme.themed
def plot_attention(
    summary: pd.DataFrame,
    measure: str = "centroid",
    *,
    condition: str = "all",
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """One measure of every branch, or pair of branches, with 95 % intervals.

    Filled: trained weights. Hollow: random weights, the control. A short black line: a map
    without preference, where the measure has one.

    Args:
        summary: ``Attention.summary()``.
        measure: ``centroid`` (drawn downwards, as the picture is), ``pointing``, ``person`` ...,
            ``cosine`` or ``iou`` between branches, ``in order``.
        condition: group of pictures.
        ax: where to draw.
        **kwargs: for ``Axes.errorbar``.

    Raises:
        InputError: the summary has no such rows.
    """
    rows = summary[(summary["condition"] == condition) & (summary["measure"] == measure)]
    names = [name for name in rows["branch"].unique() if name != EVEN]
    if not names:
        raise InputError(f"the summary has no measure {measure!r} on {condition!r} pictures")
    pairs = " + " in names[0]
    short = [{"pairs": "mean"}.get(name, name.replace("branch", "")) for name in names]
    ax = theme.axes(ax, "single", 2.3)
    places = np.arange(len(names))
    for shift, (weights, fill) in zip((-0.12, 0.12), POINTS.items(), strict=True):
        own = rows[rows["weights"] == weights].set_index("branch").reindex(names)
        look = {"color": theme.WHOLE, "markerfacecolor": fill}
        look |= {"fmt": theme.MARKERS[0], "label": f"{weights} weights"}
        _points(ax, places + shift, own, scale=1, **{**look, **kwargs})
    even = rows[(rows["branch"] == EVEN) & (rows["weights"] == "trained")]["mean"]
    if len(even):
        ax.axhline(float(even.iloc[0]), color="black", linewidth=0.9, zorder=0, label=EVEN)
    theme.categories(ax, short if pairs else names)
    ax.set_xlabel("branches" if pairs else "")
    ax.set_ylabel(MEASURES.get(measure, f"{measure} (share)"))
    ax.set_ylim((1, 0) if measure == "centroid" else (0, 1.02))
    theme.legend_above(ax, 3, columnspacing=1.2, handletextpad=0.4)
    return ax


@theme.themed
def plot_faithfulness(
    table: pd.DataFrame,
    *,
    mode: str = "deletion",
    change: str = "AP_change",
    maps: Sequence[str] | None = None,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """Mean change of AP or rank by the share of pixels hidden (or alone shown).

    Bars are 95 % intervals; the maps of one share stand side by side, so that none hides another.
    Controls are dashed and hollow; the fused map is black.

    Args:
        table: of ``mfa.measure_faithfulness``.
        mode: ``deletion``, ``insertion`` or ``least_first``.
        change: ``AP_change``, or ``rank_change`` (of the first match; more is worse).
        maps: those drawn, by default all.
        ax: where to draw.
        **kwargs: for ``Axes.errorbar``.

    Raises:
        InputError: the table has no such rows.
    """
    rows = table[table["mode"] == mode]
    rows = rows if maps is None else rows[rows["map"].isin(maps)]
    if rows.empty:
        raise InputError(f"the table has no rows of mode {mode!r} for {maps or 'any map'}")
    means = summarise(rows, ("map", "share"), value=change, persons=persons_of(table))
    points, words = (100, "AP (points)") if change == "AP_change" else (1, "first match's rank")
    ax = theme.axes(ax, "single", 3.0)
    given = sorted(means["share"].unique())
    names = list(means["map"].unique())
    colours = _colours([str(name) for name in table["map"].unique()])
    step = 0.7 / len(names)
    for place, (name, curve) in enumerate(means.groupby("map", sort=False)):
        curve = curve.sort_values("share")
        x = np.searchsorted(given, curve["share"]) + (place - (len(names) - 1) / 2) * step
        mean, low, high = (points * curve[column].to_numpy() for column in ("mean", "low", "high"))
        colour, control = colours[str(name)], name in CONTROLS
        look = {
            "color": colour,
            "marker": theme.MARKERS[place % len(theme.MARKERS)],
            "markersize": 3.2,
            "markerfacecolor": "white" if control else colour,
            "linestyle": ":" if control else "-",
            "linewidth": 0.9,
            "elinewidth": 0.8,
            "capsize": 1.5,
            "label": str(name),
        }
        ax.errorbar(x, mean, yerr=theme.interval(mean, low, high), **{**look, **kwargs})
    ax.axhline(0, color="black", linewidth=0.7)
    theme.categories(ax, [f"{100 * share:g}" for share in given])
    ax.set_xlabel("pixels shown (%)" if mode == "insertion" else "pixels hidden (%)")
    ax.set_ylabel(f"change of {words}")
    theme.legend_above(ax, 2, fontsize=6)
    return ax


def _colours(names: Sequence[str]) -> dict[str, str]:
    """A colour per map: the branches' own, black for the whole, dull ones for the controls."""
    branches = [name for name in names if name not in (FUSED, *CONTROLS)]
    return {**theme.branch_colours(branches), **CONTROLS, FUSED: theme.WHOLE}


def _points(ax: Axes, x: np.ndarray, own: pd.DataFrame, *, scale: float = 100, **look: Any) -> None:
    mean, low, high = (scale * own[name].to_numpy(float) for name in ("mean", "low", "high"))
    # A share of 0 lies on the axis: its mark is drawn whole.
    whole = {"capsize": 1.5, "elinewidth": 0.9, "clip_on": False}
    ax.errorbar(x, mean, yerr=theme.interval(mean, low, high), **{**whole, **look})
