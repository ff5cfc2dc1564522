"""How well a result ranks: the CMC curve and the spread of AP over queries."""

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


def named(results: RetrievalResult | Mapping[str, RetrievalResult]) -> dict[str, RetrievalResult]:
    """One result or several by name, as several by name.

    Raises:
        InputError: none was given.
    """
    models = dict(results) if isinstance(results, Mapping) else {"": results}
    if not models:
        raise InputError("no result was given to draw")
    return models


@theme.themed
def cmc(
    results: RetrievalResult | Mapping[str, RetrievalResult],
    ranks: int = 20,
    ax: Axes | None = None,
) -> Axes:
    """Share of queries with a match among the first r ranks, in per cent, for r = 1 to ``ranks``.

    The legend gives Rank-1 and mAP of each model.
    """
    ax = theme.axes(ax)
    for position, (name, result) in enumerate(named(results).items()):
        curve = 100 * np.asarray(result.cmc)[:ranks]
        places = np.arange(1, len(curve) + 1)
        label = f"{name}  R1 {curve[0]:.1f}, mAP {100 * result.mAP:.1f}".strip()
        marker = theme.MARKERS[position % 8]
        ax.plot(places, curve, marker=marker, color=theme.PALETTE[position % 8], label=label)
    ax.set(xlabel="rank r", ylabel="matched within r ranks (%)")
    ax.set_ylim(top=min(100.5, ax.get_ylim()[1] + 1))
    ax.set_xticks([1, *range(5, int(ax.dataLim.x1) + 1, 5)])
    ax.legend(loc="best")
    return ax


@theme.themed
def ap_distribution(
    results: RetrievalResult | Mapping[str, RetrievalResult],
    ax: Axes | None = None,
    bins: int = 20,
) -> Axes:
    """Queries by their average precision; a line at each model's mAP."""
    ax = theme.axes(ax)
    models = named(results)
    table = pd.concat(
        [
            pd.DataFrame({"AP": 100 * result.per_query["AP"].dropna(), "model": name})
            for name, result in models.items()
        ],
        ignore_index=True,
    )
    colors = dict(zip(models, theme.PALETTE, strict=False))
    sns.histplot(
        table,
        x="AP",
        hue="model",
        palette=colors,
        bins=np.linspace(0, 100, bins + 1).tolist(),
        element="step",
        alpha=0.25,
        legend=False,
        ax=ax,
    )
    for position, (name, result) in enumerate(models.items()):
        dash = ("-", "--", "-.", ":")[position % 4]
        label = f"{name}  mAP {100 * result.mAP:.1f}".strip()
        ax.axvline(100 * result.mAP, color=colors[name], linestyle=dash, label=label)
    ax.set(xlabel="average precision of a query (%)", ylabel="queries", xlim=(0, 100))
    ax.legend()
    return ax
