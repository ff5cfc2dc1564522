"""Where a score comes from: size of the gallery, single branches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from mfa.errors import InputError
from viz import theme

if TYPE_CHECKING:
    from mfa.retrieval.results import RetrievalResult


@theme.themed
def plot_gallery_size(
    table: pd.DataFrame, *, metric: str = "mAP", ax: Axes | None = None, **kwargs: Any
) -> Axes:
    """A figure of merit against the size of the gallery, with the spread over draws.

    Args:
        table: from ``mfa.by_gallery_size``; a column ``model`` tells several apart.
        metric: column to show.
        ax: where to draw.
        **kwargs: for seaborn's ``lineplot``.

    Raises:
        InputError: a column is missing.
    """
    theme.require(table, ("gallery", metric))
    ax = theme.axes(ax)
    tidy = table if "model" in table else table.assign(model="")
    sns.lineplot(
        tidy.assign(percent=100 * tidy[metric]),
        x="gallery",
        y="percent",
        hue="model",
        style="model",
        palette=list(theme.PALETTE[: tidy["model"].nunique()]),
        legend="auto" if tidy["model"].nunique() > 1 else False,
        ax=ax,
        **{"errorbar": "sd", "markers": True, "dashes": True, **kwargs},
    )
    drawn = " ± s.d. over draws" if tidy.duplicated(["model", "gallery"]).any() else ""
    ax.set(xlabel="gallery pictures", ylabel=f"{metric} (%){drawn}")
    return ax


@theme.themed
def plot_branch_scores(
    branches: Mapping[str, RetrievalResult],
    *,
    whole: RetrievalResult | None = None,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """Score (mAP) of each branch alone beside that of the whole descriptor.

    The whiskers are 95 % intervals over identities.

    Args:
        branches: results by branch, in the order of the descriptor (``mfa.score_branches``).
        whole: the result of the whole descriptor, drawn first and black.
        ax: where to draw.
        **kwargs: for ``Axes.barh``.

    Raises:
        InputError: there is no branch to draw.
    """
    if not branches:
        raise InputError("no result of a branch was given to draw")
    from mfa.retrieval.statistics import intervals

    colours = {"whole descriptor": theme.WHOLE, **theme.branch_colours(branches)}
    rows = {**({} if whole is None else {"whole descriptor": whole}), **branches}
    ax = theme.axes(ax, "single", 0.32 * len(rows) + 0.7)
    for place, (name, result) in enumerate(rows.items()):
        low, high = (100 * bound for bound in intervals(result.per_query)["mAP"])
        mean = 100 * result.mAP
        look = {"color": colours[name], "alpha": 0.75, "gid": f"bar/{name}", **kwargs}
        ax.barh(place, mean, **{"height": 0.6, **look})
        ax.errorbar(mean, place, xerr=theme.interval(mean, low, high), color="black", capsize=3)
        theme.beside(ax, f"{mean:.1f}", (high, place))
    theme.categories(ax, list(rows), "y")
    ax.set_xlim(0, 1.1 * ax.dataLim.x1)
    ax.set_xlabel("mAP (%), 95 % interval over identities")
    return ax
