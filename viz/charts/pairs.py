"""Same person or not? Distances of pairs, and the errors at each threshold on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from mfa.errors import InputError
from viz import theme

if TYPE_CHECKING:
    from mfa.comparison.calibration import Calibration
    from mfa.comparison.verification import Verification

SAME = "same person"
OTHER = "different people"
COLORS = {SAME: theme.MATCH, OTHER: theme.WRONG}
BARS = 50
"""Bins drawn; the verification counts in far finer ones."""


@theme.themed
def plot_distances(
    verification: Verification,
    *,
    threshold: float | None = None,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """Distances of pairs of one person and of pairs of two, each as a density.

    Densities, because pairs of two people are some hundred times as many.

    Args:
        verification: from ``mfa.verify``.
        threshold: a distance to mark.
        ax: where to draw.
        **kwargs: for ``Axes.stairs``, the outlines.
    """
    ax = theme.axes(ax)
    bins = verification.histogram
    used = bins[(bins["same"] > 0) | (bins["other"] > 0)]
    low, high = float(used["low"].min()), float(used["high"].max())
    inside = bins.loc[used.index[0] : used.index[-1]]
    step = max(1, len(inside) // BARS)
    group = np.arange(len(inside)) // step
    edges = np.append(inside["low"].to_numpy()[::step], high)
    for column, name, dash in (("same", SAME, "-"), ("other", OTHER, "--")):
        counts = inside[column].groupby(group).sum().to_numpy()
        density = counts / (counts.sum() * np.diff(edges))
        ax.stairs(density, edges, fill=True, color=COLORS[name], alpha=0.25)
        label = f"{name} ({counts.sum():,} pairs)"
        look = {"color": COLORS[name], "linestyle": dash, "linewidth": 1.4, "label": label}
        ax.stairs(density, edges, **{**look, **kwargs})
    if threshold is not None:
        label = f"threshold {threshold:.3f}"
        ax.axvline(threshold, color="black", linestyle=":", linewidth=1.1, label=label)
    ax.set(xlabel="distance", ylabel="density", xlim=(low, high))
    ax.legend(loc="upper left")
    ax.set_ylim(top=1.4 * ax.get_ylim()[1])  # room for the legend above the curves
    return ax


@theme.themed
def plot_roc(
    verifications: Verification | Mapping[str, Verification],
    *,
    threshold: float | None = None,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """Pairs of one person accepted against pairs of two accepted, the latter in logarithms.

    The axis ends where a single wrong pair stands, or at one in a million.

    Args:
        verifications: one from ``mfa.verify``, or several by model.
        threshold: a distance whose point is marked on every curve.
        ax: where to draw.
        **kwargs: for ``Axes.plot``.

    Raises:
        InputError: nothing was given.
    """
    models = verifications if isinstance(verifications, Mapping) else {"": verifications}
    if not models:
        raise InputError("no verification was given to draw")
    ax = theme.axes(ax)
    lowest = max(1e-6, min(1 / model.other for model in models.values()))
    for number, (name, model) in enumerate(models.items()):
        shown = model.table[model.table["fpr"] >= lowest]
        dash = ("-", "--", "-.", ":")[number % 4]
        label = f"{name}  EER {100 * model.eer:.1f} %".strip()
        look = {"linestyle": dash, "label": label, **kwargs}
        ax.plot(shown["fpr"], 100 * shown["tpr"], **look)
        if threshold is not None:
            point = model.at_threshold(threshold)
            ax.plot(max(point["fpr"], lowest), 100 * point["tpr"], "o", color="black", ms=5)
    theme.logarithmic(ax, "x")
    ax.set(
        xlim=(lowest, 1),
        ylim=(0, 101),
        xlabel="different people accepted (share of pairs)",
        ylabel="same person accepted (%)",
    )
    ax.legend()
    return ax


@theme.themed
def plot_probability(
    calibration: Calibration,
    *,
    threshold: float | None = None,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """How likely two pictures show one person, by their distance.

    Args:
        calibration: from ``mfa.calibrate``.
        threshold: a distance to mark.
        ax: where to draw.
        **kwargs: for ``Axes.plot``.
    """
    ax = theme.axes(ax)
    curve = calibration.curve
    look = {"color": theme.MATCH, "label": f"prior {calibration.prior:.2g}", **kwargs}
    ax.plot(curve["distance"], 100 * curve["probability"], **look)
    if threshold is not None:
        label = f"{100 * calibration.probability(threshold):.1f} % at {threshold:.3f}"
        ax.axvline(threshold, color="black", linestyle=":", linewidth=1.1, label=label)
    ax.set(xlabel="distance", ylabel="same person (%)", ylim=(0, 101))
    ax.legend()
    return ax


@theme.themed
def plot_calibration(calibration: Calibration, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Predicted probability of "the same person" against what was so, for identities not fitted.

    Points on the diagonal are true to their word.

    Args:
        calibration: from ``mfa.calibrate``.
        ax: where to draw.
        **kwargs: for ``Axes.plot``.
    """
    ax = theme.axes(ax)
    table = 100 * calibration.reliability[["predicted", "observed"]]
    ax.plot([0, 100], [0, 100], color="#999999", linestyle="--", linewidth=1)
    label = f"mean error {100 * calibration.error:.2g} %"
    look = {"color": theme.MATCH, "marker": "o", "label": label, **kwargs}
    ax.plot(table["predicted"], table["observed"], **look)
    ax.set(xlabel="predicted (%)", ylabel="so on the other half (%)", xlim=(-2, 102))
    ax.set_ylim(-2, 102)
    ax.legend()
    return ax
