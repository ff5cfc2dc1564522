"""Ablation bars: our measured runs and published figures, never to be taken for one another."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mfa.errors import InputError
from viz import theme

MEASURED = theme.PALETTE[0]
PUBLISHED = "#555555"
BAR = 0.36
GAP = 5
"""Points between a bar, its whisker and dots included, and its number."""

HOLLOW: dict[str, dict[str, Any]] = {
    "published": {"facecolor": "white", "edgecolor": PUBLISHED, "hatch": "/////"},
    "unverified": {"facecolor": "white", "edgecolor": PUBLISHED, "linestyle": ":"},
}
"""Looks of figures that were not measured here."""

NAME = 24
"""Letters of a method's name on a line."""


@theme.themed
def plot_ablation(
    measured: pd.DataFrame,
    published: pd.DataFrame | None = None,
    *,
    metric: str = "mAP",
    p_values: Mapping[str, float] | None = None,
    reference: str = "",
    test: str = "",
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """One group per method: measured as a filled bar, published as a hollow hatched one.

    A filled bar is the mean over seeds, its whisker their standard deviation, its dots the seeds
    one by one. A published figure nobody checked has a dotted outline.

    Args:
        measured: tidy rows with ``method``, ``seed`` and the metric in per cent; methods are
            drawn in the order of their first row.
        published: rows with ``method``, the metric and ``confidence`` (``read``, ``computed`` or
            ``unverified``).
        metric: column to draw.
        p_values: by method, written beside the figure. Beside a mean and spread over seeds belongs
            the test over seeds (``mfa.retrieval.statistics.seeds_test``), beside one seed the test
            by identity (``mfa.paired_test``).
        reference: the method that the p-values hold the others against; named below the axis.
        test: what the p-values come from, in a few words; named below the axis.
        ax: where to draw.
        **kwargs: for ``Axes.barh``, the measured bars.

    Raises:
        InputError: a column is missing, there is nothing to draw, or p-values come without the
            name of their test and reference.
    """
    if p_values and not (reference and test):
        raise InputError("p-values say nothing without their test", "give reference= and test=")
    theme.require(measured, ("method", "seed", metric), "measured")
    if published is None:
        published = pd.DataFrame({"method": [], metric: [], "confidence": []})
    theme.require(published, ("method", metric, "confidence"), "published")
    ours, theirs = measured.dropna(subset=[metric]), published.dropna(subset=[metric])
    methods = list(dict.fromkeys([*ours["method"], *theirs["method"]]))
    if not methods:
        raise InputError(f"no row has a value for {metric}, so there is nothing to draw")
    ax = theme.axes(ax, "single", 0.42 * len(methods) + 0.9)
    for place, method in enumerate(methods):
        values = ours.loc[ours["method"] == method, metric].to_numpy(dtype=float)
        quoted = theirs[theirs["method"] == method].head(1)
        aside = BAR / 2 if len(values) and len(quoted) else 0
        if len(values):
            p_value = (p_values or {}).get(method)
            _measured_bar(ax, place - aside, values, p_value, **kwargs)
        for _, row in quoted.iterrows():
            _published_bar(ax, place + aside, row, metric)
    names = [textwrap.fill(name, NAME) for name in methods]
    theme.categories(ax, names, "y")
    tested = f"\np: {test}, against {reference}" if p_values else ""
    letters = max(len(line) for name in names for line in name.split("\n"))
    width = theme.figure_of(ax).get_figwidth() - 0.3 - letters * theme.LETTER * 7 / 72
    ax.set_xlabel(theme.wrapped(f"{metric} (%){tested}", width, 7))
    _room_for_numbers(ax)
    _legend(ax, ours, theirs)
    return ax


def _measured_bar(
    ax: Axes, place: float, values: np.ndarray, p_value: float | None = None, **kwargs: Any
) -> None:
    end = mean = float(values.mean())
    ax.barh(place, mean, **{"height": BAR, "color": MEASURED, "gid": "measured", **kwargs})
    if len(values) > 1:
        spread = float(values.std(ddof=1))
        ax.errorbar(mean, place, xerr=spread, color="black", capsize=3, linewidth=1, gid="spread")
        places = np.full(len(values), place)
        ax.plot(values, places, "o", color="white", mec="black", mew=0.6, ms=2.4)
        end = max(mean + spread, float(values.max()))
    text = f"{mean:.1f}"
    if p_value is not None:
        text += "  p < 0.001" if p_value < 0.001 else f"  p = {p_value:.2g}"
    theme.beside(ax, text, (end, place), gap=GAP)


def _published_bar(ax: Axes, place: float, row: pd.Series, metric: str) -> None:
    value, kind = float(row[metric]), "published"
    if row["confidence"] == "unverified":
        kind = "unverified"
    ax.barh(place, value, BAR, **HOLLOW[kind], linewidth=0.9, gid=kind)
    text = f"{value:.1f}{' ?' if kind == 'unverified' else ''}"
    theme.beside(ax, text, (value, place), color=PUBLISHED, gap=GAP)


def _room_for_numbers(ax: Axes) -> None:
    """Bars start at 0, so that lengths compare; the numbers beside them need a margin."""
    ax.set_xlim(0, 3 * ax.dataLim.x1)  # nothing sticks out, so that the layout is the final one
    theme.figure_of(ax).draw_without_rendering()
    across = ax.get_window_extent().width
    words = max(text.get_window_extent().width for text in ax.texts)
    gap = (GAP + 3) * theme.figure_of(ax).dpi / 72
    ax.set_xlim(0, ax.dataLim.x1 * across / max(across - words - gap, across / 4))


def _legend(ax: Axes, ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    handles: list[Patch | Line2D] = []
    if len(ours):
        seeds = int(ours.groupby("method")["seed"].nunique().max())
        label = f"measured here, {seeds} seeds ± s.d." if seeds > 1 else "measured here, one seed"
        handles.append(Patch(facecolor=MEASURED, label=label))
    doubtful = theirs["confidence"] == "unverified"
    if not doubtful.all():
        handles.append(Patch(**HOLLOW["published"], label="published"))
    if doubtful.any():
        handles.append(Patch(**HOLLOW["unverified"], label="published, unverified (?)"))
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), borderpad=0)
