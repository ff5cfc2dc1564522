"""How a training went: losses, feature norm, and whether the branches parted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mfa.errors import InputError
from mfa.records import EpochRecord
from viz import theme

TERMS = ("total", "id", "triplet", "center", "gla")


@dataclass(frozen=True)
class _Panel:
    """One chart of the sheet."""

    title: str
    columns: list[str]
    log: bool = False
    flip: bool = False
    """0 at the top, for vertical positions in a picture."""
    unit: bool = False
    """The quantity lies between 0 and 1."""


class TrainingCurves:
    """Curves that grow while a training runs.

    Example::

        curves = viz.TrainingCurves()
        for record in mfa.fit(config):
            curves.update(record)
            handle.update(curves.figure)
    """

    def __init__(self) -> None:
        self._rows: list[dict[str, object]] = []

    def update(self, record: EpochRecord) -> None:
        """Take in one epoch."""
        from mfa.runs.history import history_row  # loads PyTorch

        self._rows.append(history_row(record))

    @property
    def history(self) -> pd.DataFrame:
        """The epochs so far, as ``history.csv`` holds them."""
        return pd.DataFrame(self._rows)

    @property
    def figure(self) -> theme.Picture:
        """The sheet of curves so far.

        Raises:
            InputError: there was no epoch yet.
        """
        return draw_training(self.history)


@theme.themed
def draw_training(history: pd.DataFrame, width: theme.Width | float = "double") -> theme.Picture:
    """A sheet of curves over epochs, of what the history holds.

    Loss terms; learning rate; feature norm with the epochs at which training warned; vertical
    centre of each branch map; mean cosine between branch maps; share of the stripe's variance a
    branch explains.

    Args:
        history: rows of ``history.csv``, one per epoch.
        width: of the figure, a column's name or inches.

    Raises:
        InputError: an empty history, or none of its columns is known.
    """
    if history.empty or "epoch" not in history:
        raise InputError("the history has no epoch yet; train at least one")
    panels = [panel for panel in _panels(history) if panel.columns]
    if not panels:
        raise InputError(
            f"none of the history's columns is a curve: {', '.join(map(str, history))}"
        )
    across = theme.inches(width)
    columns = min(3 if across > 5 else 2, len(panels))
    rows = -(-len(panels) // columns)
    figure = theme.figure(across, 0.72 * across / columns * rows + 0.1)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    drawn = [_draw(ax, history, panel) for ax, panel in zip(grid, panels, strict=False)]
    for ax in grid[len(panels) :]:
        ax.remove()
    figure.draw_without_rendering()  # the layout settles, so that labels know their room
    for ax, lines in zip(grid, drawn, strict=False):
        if len(lines) > 1:
            _label_ends(ax, lines)
    return figure


def _panels(history: pd.DataFrame) -> list[_Panel]:
    def present(names: Iterable[str]) -> list[str]:
        return [name for name in names if name in history and history[name].notna().any()]

    losses = [name for name in present(TERMS) if history[name].any()]
    heights = present(_of("centroid", history))
    return [
        _Panel("loss terms", losses, log=True),
        _Panel("learning rate", present(["lr"])),
        _Panel("feature norm", present(["feature_norm"])),
        _Panel("height of branch map", heights, flip=True, unit=True),
        _Panel("cosine between maps", present(["map_cosine"]), unit=True),
        _Panel("R² on own stripe", present(_of("r2", history))),
    ]


def _of(measure: str, history: pd.DataFrame) -> list[str]:
    """Columns of one measure, one per branch."""
    return [str(name) for name in history if str(name).startswith(f"{measure}/")]


def _draw(ax: Axes, history: pd.DataFrame, panel: _Panel) -> list[Line2D]:
    epochs = history["epoch"].to_numpy()
    every = max(1, len(epochs) // 8)  # a mark on every epoch of a long training would hide the line
    measured = [*_of("centroid", history), *_of("r2", history)]
    branches = theme.branch_colours(dict.fromkeys(name.partition("/")[2] for name in measured))
    lines: list[Line2D] = []
    for position, column in enumerate(panel.columns):
        values = history[column].to_numpy(dtype=float)
        if panel.log:
            values = np.where(values > 0, values, np.nan)
        label = column.rpartition("/")[2]
        look: dict[str, Any] = {"marker": theme.MARKERS[position % 8], "ms": 3, "markevery": every}
        look["color"] = branches.get(label, theme.PALETTE[position % 8])
        # Marks at the rim are drawn whole.
        lines += ax.plot(epochs, values, label=label, clip_on=False, **look)
    ax.set_title(panel.title, loc="left")
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))
    if panel.log:
        theme.logarithmic(ax, "y")
    if panel.unit:
        low, high = ax.get_ylim()
        ax.set_ylim(min(0, low), max(1, high))
    if panel.flip:
        ax.invert_yaxis()
        ax.set_ylabel("0 top, 1 bottom")
    if panel.columns == ["lr"] and (history["lr"] > 0).any():
        power = int(np.floor(np.log10(history["lr"].max())))
        ax.yaxis.set_major_formatter(lambda rate, _: f"{rate / 10**power:.3g}")
        ax.set_title(f"{panel.title} (1e{power})", loc="left")
    if panel.columns == ["feature_norm"]:
        ax.set_ylim(bottom=0)
        _mark_warnings(ax, history)
    return lines


def _mark_warnings(ax: Axes, history: pd.DataFrame) -> None:
    if "warnings" not in history:
        return
    warned = history.loc[history["warnings"].fillna("").astype(str) != "", "epoch"]
    for epoch in warned:
        ax.axvline(epoch, color=theme.WRONG, linestyle=":", linewidth=1.2, gid="warning")
    if len(warned):
        look: dict[str, Any] = {"color": theme.WRONG, "fontsize": 6.5, "transform": ax.transAxes}
        ax.text(0.03, 0.05, "dotted: warned", **look)


def _label_ends(ax: Axes, lines: list[Line2D], size: float = 6.5) -> None:
    """Write each line's label right of its last point, in its colour, moved apart where crowded.

    The limits and the scale of the axes must be final.
    """
    ends = []
    for line in lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        for last in points[np.isfinite(points).all(axis=1)][-1:]:
            height = ax.transData.transform(last)[1] * 72 / ax.figure.dpi
            ends.append((float(height), last, line))
    ends.sort(key=lambda end: end[0])
    places = _apart([height for height, _, _ in ends], 1.15 * size)
    for place, (own, point, line) in zip(places, ends, strict=True):
        ax.annotate(
            str(line.get_label()),
            point,
            (4, place - own),
            textcoords="offset points",
            color=line.get_color(),
            fontsize=size,
            va="center",
            annotation_clip=False,
        )


def _apart(places: list[float], step: float) -> list[float]:
    """Sorted places moved to be ``step`` apart, each run of crowded ones about its own middle."""
    runs: list[list[float]] = []
    for place in places:
        run = [place]
        while runs and _spaced(run, step)[0] < _spaced(runs[-1], step)[-1] + step:
            run = runs.pop() + run
        runs.append(run)
    return [place for run in runs for place in _spaced(run, step)]


def _spaced(run: list[float], step: float) -> list[float]:
    """As many places, ``step`` apart, about the same middle."""
    first = sum(run) / len(run) - step * (len(run) - 1) / 2
    return [first + step * number for number in range(len(run))]
