"""The four charts of the threshold page, as drawings that take the page's colours."""

from __future__ import annotations

import numpy as np

from mfa.comparison.calibration import Calibration
from mfa.comparison.verification import Verification
from viz.apps.core import html

BARS = 60
"""Groups of distances that are drawn."""

DECADES = 6
"""Powers of ten that the ROC shows at most."""


def charts(verified: Verification, calibration: Calibration, threshold: float) -> str:
    """Distances, ROC, probabilities and their check, side by side."""
    low, high = span(verified)
    axis = [f"{value:.2f}" for value in np.linspace(low, high, 5)]
    place = 300 * (threshold - low) / (high - low)
    line = _line(place) if 0 <= place <= 300 else ""
    words = f"same person, by distance (prior {calibration.prior:.2g})"
    grid = np.linspace(low, high, 121)
    falling = {"probability": calibration.probability(grid).tolist()}
    drawn = (
        html.curves(
            _densities(verified, low, high),
            "distance",
            "pairs at a distance, the most as 1",
            labels=axis,
            marks=line,
        ),
        _roc(verified, threshold),
        html.curves(falling, "distance", words, labels=axis, marks=line),
        _check(calibration),
    )
    return f"<div class='mfa-charts'>{''.join(f'<div>{each}</div>' for each in drawn)}</div>"


def span(verified: Verification) -> tuple[float, float]:
    """The smallest and the largest distance of a pair, to a bin."""
    bins = verified.histogram[verified.histogram[["same", "other"]].any(axis=1)]
    return float(bins["low"].min()), float(bins["high"].max())


def _densities(verified: Verification, low: float, high: float) -> dict[str, list[float]]:
    bins = verified.histogram
    middle = (bins["low"] + bins["high"]) / 2
    names = {"different people": "other", "same person": "same"}
    found = {
        name: np.histogram(middle, BARS, (low, high), weights=bins[column])[0] / bins[column].sum()
        for name, column in names.items()
    }
    top = max(values.max() for values in found.values())
    return {name: (values / top).tolist() for name, values in found.items()}


def _roc(verified: Verification, threshold: float) -> str:
    decades = int(np.clip(np.ceil(np.log10(verified.other)), 1, DECADES))
    rates = np.logspace(-decades, 0, 20 * decades + 1)
    places = verified.table["fpr"].searchsorted(rates, side="right") - 1
    accepted = np.where(places >= 0, verified.table["tpr"].to_numpy()[places], 0.0)
    point = verified.at_threshold(threshold)
    across = 300 * (1 + np.log10(max(point["fpr"], 10.0**-decades)) / decades)
    return html.curves(
        {"ROC": accepted.tolist()},
        "different people accepted (share of pairs)",
        "same person accepted (share of pairs)",
        labels=[f"{10.0**-power:g}" for power in range(decades, -1, -1)],
        marks=_dot(across, point["tpr"]),
    )


def _check(calibration: Calibration) -> str:
    groups = calibration.reliability[["predicted", "observed"]].to_numpy().tolist()
    dots = "".join(_dot(300 * predicted, observed) for predicted, observed in groups)
    return html.curves(
        {"true to its word": [0.0, 1.0]},
        "predicted probability",
        f"same person, identities not fitted (error {100 * calibration.error:.2g} %)",
        labels=["0", "0.25", "0.5", "0.75", "1"],
        marks=dots,
    )


def _line(x: float) -> str:
    return (
        f"<line x1='{x:.1f}' x2='{x:.1f}' y1='0' y2='120' stroke='currentColor' "
        "stroke-width='1.5' stroke-dasharray='2 2'/>"
    )


def _dot(x: float, share: float) -> str:
    return f"<circle cx='{x:.1f}' cy='{120 * (1 - share):.1f}' r='4' fill='#d55e00'/>"
