"""The passport of a map in two small charts and a line per verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mfa.errors import InputError
from mfa.explain.tables import EDGES, LEAST, LIKENESS, MOST, SHUFFLED, SILHOUETTE
from viz import theme
from viz.charts.attention import CONTROLS

FILLS = {"mean": "mean colour", "road": "ROAD"}


@theme.themed
def plot_passport_likeness(
    table: pd.DataFrame, rule: str, *, ax: Axes | None = None, **kwargs: Any
) -> Axes:
    """How like a rule's maps stay to themselves while weights are drawn anew from the top down.

    Bars are 95 % intervals. The lines across are the likeness to another picture's map and to the
    two baselines.

    Args:
        table: of ``mfa.measure_passport``, of one run.
        rule: whose passport.
        ax: where to draw.
        **kwargs: for ``Axes.errorbar``.

    Raises:
        InputError: the table has no such rule.
    """
    rows = _of(table, rule, LIKENESS).set_index("against")
    across = [SHUFFLED, SILHOUETTE, EDGES]
    stages = rows.drop(index=across)
    ax = theme.axes(ax, "single", 1.6)
    for name in across:
        height = float(rows["mean"][name])
        ax.axhline(height, color=CONTROLS[name], linestyle=":", linewidth=0.9, label=name)
    error = theme.interval(*(stages[name].to_numpy() for name in ("mean", "low", "high")))
    look = {
        "color": theme.WHOLE,
        "marker": "o",
        "markersize": 3.2,
        "linewidth": 0.9,
        "capsize": 1.5,
    }
    ax.errorbar(range(len(stages)), stages["mean"], yerr=error, **{**look, **kwargs})
    theme.categories(ax, list(stages.index))
    ax.set_xlabel("drawn anew down to")
    ax.set_ylabel("likeness to the map")
    ax.set_ylim(min(-0.05, ax.get_ylim()[0]), 1.02)
    theme.legend_above(ax, 1, fontsize=5.5)
    return ax


@theme.themed
def plot_passport_order(
    table: pd.DataFrame,
    rule: str,
    *,
    fill: str | None = None,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """Change of AP by hiding the top (filled) and the bottom (hollow) of a map and a baseline.

    Arguments as in ``plot_passport_likeness``; ``fill`` is what hidden pixels become,
    by default the last that the table has, which is ROAD where it was measured.

    Raises:
        InputError: the table has no such rule or fill.
    """
    ax = theme.axes(ax, "single", 1.6)
    fill = fill or str(table["fill"].dropna().iloc[-1])
    given = sorted(table["share"].dropna().unique())
    for place, name in enumerate((rule, SILHOUETTE, EDGES)):
        colour = CONTROLS.get(name, theme.WHOLE)
        for check, face in ((MOST, colour), (LEAST, "white")):
            rows = _of(table[table["fill"] == fill], name, check).sort_values("share")
            mean, low, high = (100 * rows[column].to_numpy() for column in ("mean", "low", "high"))
            look = {
                "color": colour,
                "marker": theme.MARKERS[place],
                "markersize": 3.2,
                "markerfacecolor": face,
                "linestyle": "-" if name == rule else ":",
                "linewidth": 0.9,
                "capsize": 1.5,
                "label": name if check == MOST else None,
            }
            x = np.arange(len(rows)) + 0.1 * (place - 1)
            ax.errorbar(x, mean, yerr=theme.interval(mean, low, high), **{**look, **kwargs})
    ax.axhline(0, color="black", linewidth=0.7)
    theme.categories(ax, [f"{100 * share:g}" for share in given])
    ax.set_xlabel(f"pixels hidden (%), by {FILLS[fill]}")
    ax.set_ylabel("change of AP (points)")
    theme.legend_above(ax, 1, fontsize=5.5)
    return ax


def verdict_lines(table: pd.DataFrame, rule: str) -> list[str]:
    """One line per question of a rule's passport, such as ``changes with the weights: holds``."""
    rows = table[(table["rule"] == rule) & table["verdict"].isin(["holds", "fails", "open"])]
    lines = []
    for (check, against), part in rows.fillna({"against": ""}).groupby(
        ["check", "against"], sort=False
    ):
        named = part["fill"].map(FILLS)
        words = [
            f"{verdict} by {fill}" if isinstance(fill, str) else verdict
            for verdict, fill in zip(part["verdict"], named, strict=True)
        ]
        known = f" the {against}" if against in (SILHOUETTE, EDGES) else ""
        lines.append(f"{check}{known}: {', '.join(words)}")
    return lines


def _of(table: pd.DataFrame, rule: str, check: str) -> pd.DataFrame:
    rows = table[(table["rule"] == rule) & (table["check"] == check)]
    if rows.empty:
        raise InputError(
            f"the table has no {check!r} of {rule}", "make it with mfa explain passport RUN"
        )
    return rows
