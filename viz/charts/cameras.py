"""Pairs of cameras: how well people are found across them, and how many people they share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from mfa.errors import InputError
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, ReidDataset
from viz import theme


@theme.themed
def plot_camera_pairs(
    table: pd.DataFrame, *, metric: str = "mAP", ax: Axes | None = None, **kwargs: Any
) -> Axes:
    """Score each query camera against each gallery camera, in per cent.

    An empty cell is a pair without a query that could be scored.

    Args:
        table: from ``mfa.by_camera_pair``.
        metric: column to show.
        ax: where to draw.
        **kwargs: for seaborn's ``heatmap``.

    Raises:
        InputError: a column is missing.
    """
    theme.require(table, ("query_camera", "gallery_camera", metric))
    ax = theme.axes(ax, "single", 2.9)
    wide = 100 * table.pivot(index="query_camera", columns="gallery_camera", values=metric)
    sns.heatmap(
        wide,
        ax=ax,
        **{
            "annot": True,
            "fmt": ".0f",
            "cmap": "cividis",
            "vmin": 0,
            "vmax": 100,
            "square": True,
            "linewidths": 0.5,
            "annot_kws": {"fontsize": 6.5},
            "cbar_kws": {"label": f"{metric} (%)", "shrink": 0.8},
            **kwargs,
        },
    )
    ax.set(xlabel="gallery camera", ylabel="query camera")
    ax.tick_params(axis="y", rotation=0)
    ax.grid(visible=False)
    return ax


@theme.themed
def plot_camera_counts(dataset: ReidDataset, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """How many people each pair of cameras shares; the diagonal: people one camera saw.

    A pair without common people cannot be scored. Junk and distractors are left out.

    Args:
        dataset: whose lists are counted, all of them.
        ax: where to draw.
        **kwargs: for ``Axes.imshow``.

    Raises:
        InputError: no camera is known.
    """
    samples = (*dataset.train, *dataset.query, *dataset.gallery)
    known = [s for s in samples if s.camid != NO_CAMERA and s.pid not in (JUNK, DISTRACTOR)]
    if not known:
        raise InputError(f"no camera is known in {dataset.name}, so there is nothing to count")
    seen = pd.crosstab([s.pid for s in known], [s.camid for s in known]).clip(upper=1)
    shared = (seen.T @ seen).to_numpy(dtype=int)
    ax = theme.axes(ax, "single", 2.6)
    ax.imshow(shared, **{"cmap": "Blues", "vmin": 0, **kwargs})
    ax.grid(visible=False)
    names, places = [str(camid) for camid in seen.columns], range(len(shared))
    ax.set(xticks=places, xticklabels=names, yticks=places, yticklabels=names)
    ax.set(xlabel="camera", ylabel="camera", title="people seen by both cameras")
    for (row, column), people in np.ndenumerate(shared):
        color = "white" if people > shared.max() / 2 else "black"
        ax.text(column, row, f"{people}", color=color, ha="center", va="center", fontsize=6.5)
    return ax
