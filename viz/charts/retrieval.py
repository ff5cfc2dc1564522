"""How well a result ranks: the CMC curve and the spread of AP over queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from mfa.errors import InputError
from viz import theme

if TYPE_CHECKING:
    from mfa.retrieval.results import RetrievalResult


def named(results: RetrievalResult | Mapping[str, RetrievalResult]) -> dict[str, RetrievalResult]:
    """One result or several by name, as several by name."""
    models = dict(results) if isinstance(results, Mapping) else {"": results}
    if not models:
        raise InputError("no result was given to draw")
    return models


@theme.themed
def plot_cmc(
    results: RetrievalResult | Mapping[str, RetrievalResult],
    *,
    ranks: int = 20,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """Share of queries with a match among the first r ranks, in per cent, for r = 1 to ``ranks``.

    The legend gives Rank-1 and mAP of each model.

    Args:
        results: one result, or several by model.
        ranks: the last r.
        ax: where to draw.
        **kwargs: for ``Axes.plot``.

    Raises:
        InputError: no result was given.
    """
    ax = theme.axes(ax)
    for position, (name, result) in enumerate(named(results).items()):
        curve = 100 * np.asarray(result.cmc)[:ranks]
        places = np.arange(1, len(curve) + 1)
        label = f"{name}  R1 {curve[0]:.1f}, mAP {100 * result.mAP:.1f}".strip()
        look = {"marker": theme.MARKERS[position % 8], "color": theme.PALETTE[position % 8]}
        ax.plot(places, curve, **{**look, "label": label, **kwargs})
    ax.set(xlabel="rank r", ylabel="matched within r ranks (%)")
    ax.set_ylim(top=min(100.5, ax.get_ylim()[1] + 1))
    ax.set_xticks([1, *range(5, int(ax.dataLim.x1) + 1, 5)])
    ax.legend(loc="best")
    return ax


@theme.themed
def plot_ap_distribution(
    results: RetrievalResult | Mapping[str, RetrievalResult],
    *,
    bins: int = 20,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """Histogram of the queries' average precision, with a line at each model's mAP.

    Args:
        results: one result, or several by model.
        bins: bars from 0 to 100 %.
        ax: where to draw.
        **kwargs: for seaborn's ``histplot``.

    Raises:
        InputError: no result was given.
    """
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
        legend=False,
        ax=ax,
        **{"element": "step", "alpha": 0.25, **kwargs},
    )
    for position, (name, result) in enumerate(models.items()):
        dash = ("-", "--", "-.", ":")[position % 4]
        label = f"{name}  mAP {100 * result.mAP:.1f}".strip()
        ax.axvline(100 * result.mAP, color=colors[name], linestyle=dash, label=label)
    ax.set(xlabel="average precision of a query (%)", ylabel="queries", xlim=(0, 100))
    ax.legend()
    return ax
