"""Where a score comes from: pairs of cameras, size of the gallery, single branches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from mfa.errors import InputError
from viz import theme

if TYPE_CHECKING:
    from mfa.retrieval.results import RetrievalResult


@theme.themed
def camera_map(table: pd.DataFrame, metric: str = "mAP", ax: Axes | None = None) -> Axes:
    """Score each query camera against each gallery camera, in per cent.

    An empty cell is a pair without a query that could be scored.

    Args:
        table: from ``mfa.comparison.breakdown.by_camera_pair``.
        metric: column to show.
        ax: where to draw.

    Raises:
        InputError: a column is missing.
    """
    _require(table, ("query_camera", "gallery_camera", metric))
    ax = theme.axes(ax, "single", 2.9)
    wide = 100 * table.pivot(index="query_camera", columns="gallery_camera", values=metric)
    sns.heatmap(
        wide,
        annot=True,
        fmt=".0f",
        cmap="cividis",
        vmin=0,
        vmax=100,
        square=True,
        linewidths=0.5,
        annot_kws={"fontsize": 6.5},
        cbar_kws={"label": f"{metric} (%)", "shrink": 0.8},
        ax=ax,
    )
    ax.set(xlabel="gallery camera", ylabel="query camera")
    ax.tick_params(axis="y", rotation=0)
    ax.grid(visible=False)
    return ax


@theme.themed
def gallery_curve(table: pd.DataFrame, metric: str = "mAP", ax: Axes | None = None) -> Axes:
    """A figure of merit against the size of the gallery, with the spread over draws.

    Args:
        table: from ``mfa.comparison.breakdown.by_gallery_size``; a column ``model`` tells several apart.
        metric: column to show.
        ax: where to draw.

    Raises:
        InputError: a column is missing.
    """
    _require(table, ("gallery", metric))
    ax = theme.axes(ax)
    tidy = table if "model" in table else table.assign(model="")
    sns.lineplot(
        tidy.assign(percent=100 * tidy[metric]),
        x="gallery",
        y="percent",
        hue="model",
        style="model",
        errorbar="sd",
        markers=True,
        dashes=True,
        palette=list(theme.PALETTE[: tidy["model"].nunique()]),
        legend="auto" if tidy["model"].nunique() > 1 else False,
        ax=ax,
    )
    drawn = " ± s.d. over draws" if tidy.duplicated(["model", "gallery"]).any() else ""
    ax.set(xlabel="gallery pictures", ylabel=f"{metric} (%){drawn}")
    return ax


@theme.themed
def branch_bars(results: Mapping[str, RetrievalResult], ax: Axes | None = None) -> Axes:
    """Score each branch alone beside the whole descriptor, with 95 % intervals over queries.

    Args:
        results: by name, e.g. ``fused`` and one a branch (``mfa.retrieval.branch_weights.score_branches``).
        ax: where to draw.

    Raises:
        InputError: nothing to draw.
    """
    if not results:
        raise InputError("no result was given to draw")
    from mfa.retrieval.statistics import intervals

    ax = theme.axes(ax, "single", 0.32 * len(results) + 0.7)
    for place, (name, result) in enumerate(results.items()):
        low, high = (100 * bound for bound in intervals(result)["mAP"])
        mean = 100 * result.mAP
        color = theme.PALETTE[0] if "branch" in name else theme.PALETTE[7]
        ax.barh(place, mean, 0.6, color=color, alpha=0.75, gid=f"bar/{name}")
        ax.errorbar(
            mean, place, xerr=np.array([[mean - low], [high - mean]]), color="black", capsize=3
        )
        ax.annotate(
            f"{mean:.1f}",
            (high, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
        )
    ax.set_yticks(range(len(results)), list(results))
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.set_xlim(0, 1.1 * ax.dataLim.x1)
    ax.set_xlabel("mAP (%), 95 % interval over queries")
    return ax


def _require(table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in table:
            raise InputError(f"the table has no column {column!r}, only {list(table)}")
    if table.empty:
        raise InputError("the table has no rows, so there is nothing to draw")
