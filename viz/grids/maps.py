"""Branch maps as a figure: one row per picture, one column per branch, two scales.

The branches share one scale. The fused map has its own, since it is their sum (far stronger) or the
mean of their normalised maps (another unit). Each scale has its bar at the foot of the figure. What
argues against the target is hatched, so that red and blue stay apart in a grey print.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle

from mfa.errors import InputError
from mfa.explain.inputs import as_batch
from mfa.explain.record import BranchMaps, shared_limit
from mfa.explain.tables import FUSED
from viz import theme
from viz.charts.passport import plot_passport_likeness, plot_passport_order, verdict_lines
from viz.images import overlay

NARROWEST, SHORT = 0.28, 0.34
"""Inches of a picture under which its words could not be read, and under which they are short."""

EDGE, GAP = 0.04, 0.16
"""Inches around a picture, and between blocks of rows that stand side by side."""

BAR = 0.42
"""Inches at the foot for a scale: its bar, its numbers and its name."""

BLOCKS = 4
"""Blocks of rows that a figure for print may set side by side."""

PASSPORT = (0.5, 0.8, 0.4, 0.12)
"""Inches of a passport below its charts' legends, of the charts, of the words under them, and of a
line of verdicts."""

BELOW = "sum of map"

AGAINST = 0.25
"""Share of the scale beyond which what argues against the target is hatched."""

HATCHED: Any = {"facecolor": "none", "linewidth": 0, "hatch": "//////", "gid": "against"}
"""Look of what argues against."""

PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
"""Behind words that stand on a picture."""


@theme.themed
def draw_maps(
    maps: BranchMaps,
    images: Any,
    *,
    sanity_checks: Mapping[str, BranchMaps] | None = None,
    passport: pd.DataFrame | None = None,
    outlines: bool = True,
    width: theme.Width | float = "double",
    tallest: float | None = None,
) -> Figure:
    """Every picture with its branch maps and the fused map.

    Red argues for the target, hatched blue against it. The branches share one scale and the fused
    map has another; each ends where 99.5 % of its values are below. Under each map stands the sum
    of that map. A mean of normalised maps has no such sum. A dashed box is the branch's stripe. A
    map without anything positive is marked ``empty``.

    Args:
        maps: from ``mfa.branch_maps``.
        images: the same pictures.
        sanity_checks: further maps of the same pictures by name, drawn under each row. Maps of
            another network have other magnitudes: they take a scale of their own, which stands in
            their first column.
        passport: of ``mfa.measure_passport`` for the run; its part about this method is drawn small
            under the maps.
        outlines: draw the stripes.
        width: of the figure, a column's name or inches.
        tallest: height in inches that the figure keeps to, such as ``theme.PAGE``. Rows then stand
            in several blocks side by side where that makes the pictures larger. ``None`` is for a
            screen, where one scrolls.

    Raises:
        InputError: numbers or sizes of pictures and maps differ.
    """
    pictures = as_pictures(images)
    rows = {"": maps, **(sanity_checks or {})}
    for record in rows.values():
        _check(record, pictures)
    names = [*maps.branches, FUSED] if len(maps.branches) > 1 else list(maps.branches)
    shape = (len(pictures), len(rows), len(names) + 1)
    aspect = pictures.shape[2] / pictures.shape[1]
    verdicts = [] if passport is None else verdict_lines(passport, maps.method)
    below = sum(PASSPORT[:3]) + PASSPORT[3] * len(verdicts) if verdicts else 0.0
    layout = _layout(shape, aspect, theme.inches(width), tallest, maps.caption, below)
    figure = theme.Picture(figsize=(layout.width, layout.height))
    for number, picture in enumerate(pictures):
        for place, (label, record) in enumerate(rows.items()):
            cells = [layout.cell(figure, number, place, column) for column in range(shape[2])]
            if number % layout.per_block == 0 and not place:
                for axis, name in zip(cells, ("picture", *names), strict=True):
                    title = _title(name, maps, short=layout.cell_width < SHORT)
                    axis.set_title(layout.wrap(title), fontsize=layout.points, pad=2)
            # Another network has other magnitudes.
            comparable = (record.weights, record.fusing) == (maps.weights, maps.fusing)
            limits = _limits(maps if comparable else record)
            if label:
                own = "" if comparable else "\n(±{:.2g}, fused ±{:.2g})".format(*limits)
                cells[0].set_axis_off()
                _say(cells[0], layout.wrap(label + own), 0.5, layout.points)
            else:
                show(cells[0], picture)
                cells[0].set_xlabel(layout.wrap(BELOW), labelpad=1, fontsize=layout.points)
            for axis, name in zip(cells[1:], names, strict=True):
                lay_over(axis, picture, record[name][number], limits[name == FUSED])
                if outlines and name in record.stripes:
                    outline(axis, record.stripes[name], picture.shape[:2])
                if record.empty[name][number]:
                    mark_empty(axis, layout.points, record)
                if not (name == FUSED and record.fusing == "mean"):
                    total = f"{record.raw[name][number].sum():+.2f}"
                    axis.set_xlabel(total, labelpad=1, fontsize=layout.points)
    _draw_foot(figure, layout, maps)
    if passport is not None:
        _draw_passport(figure, layout, passport, maps.method, verdicts)
    return figure


def _limits(maps: BranchMaps) -> tuple[float, float]:
    """Where the scale of the branches ends, and that of the fused map."""
    return shared_limit([maps[name] for name in maps.branches]), shared_limit([maps[FUSED]])


class _Layout:
    """Places in inches from the top left; words are made to fit, since neighbours have some too.

    Args:
        cell_width: of a picture with its edge.
        aspect: width of a picture by its height.
        shape: pictures, rows per picture, columns.
        blocks: of rows, side by side.
        least: width that the figure has at least, for its foot.
        caption: last line under the maps.
        below: inches under it.
    """

    def __init__(
        self,
        cell_width: float,
        aspect: float,
        shape: tuple[int, int, int],
        blocks: int,
        least: float,
        caption: str,
        below: float,
    ) -> None:
        pictures, self.rows, columns = shape
        self.cell_width, self.blocks = cell_width, blocks
        self.across, self.down = cell_width - EDGE, (cell_width - EDGE) / aspect
        self.points = theme.fitted(self.across, 9)
        line = 1.25 * self.points / 72
        self.above = 0.06 + 2 * line  # the title of the fused map may take two lines
        self.row = self.down + line * (1 + self.wrap(BELOW).count("\n")) + 0.06
        self.per_block = math.ceil(pictures / blocks)
        self.block = columns * cell_width
        self.content = blocks * self.block + (blocks - 1) * GAP
        self.width = max(self.content, least)
        self.rows_end = self.above + self.per_block * self.rows * self.row
        self.caption = theme.wrapped(caption, self.width - 0.1, 6.5)
        names = 0.0 if self.width > 5 else 0.12  # the scales' names take two lines
        foot = BAR + names + 0.06 + 0.12 * (1 + self.caption.count("\n"))
        self.below, self.height = below, self.rows_end + foot + below

    def wrap(self, text: str) -> str:
        return theme.wrapped(text, self.cell_width, self.points)

    def cell(self, figure: Figure, number: int, row: int, column: int) -> Axes:
        """An Axes for one picture."""
        block, place = divmod(number, self.per_block)
        left = (self.width - self.content) / 2 + block * (self.block + GAP)
        left += column * self.cell_width + EDGE / 2
        top = self.above + (place * self.rows + row) * self.row
        return self.axes(figure, (left, top, self.across, self.down))

    def axes(self, figure: Figure, box: tuple[float, float, float, float]) -> Axes:
        """An Axes in a box: left, top, width, height."""
        left, top, width, height = box
        bottom = self.height - top - height
        across, down = self.width, self.height
        return figure.add_axes((left / across, bottom / down, width / across, height / down))


def _layout(
    shape: tuple[int, int, int],
    aspect: float,
    width: float,
    tallest: float | None,
    caption: str,
    below: float,
) -> _Layout:
    """The blocks that give the largest pictures within the width and, if asked for, the height."""
    tried = []
    for blocks in range(1, 2 if tallest is None else BLOCKS + 1):
        across = (width - (blocks - 1) * GAP) / (blocks * shape[2])
        layout = _Layout(across, aspect, shape, blocks, min(width, 3.0), caption, below)
        while tallest is not None and layout.height > tallest and across > NARROWEST:
            across = max(0.97 * across, NARROWEST)
            layout = _Layout(across, aspect, shape, blocks, min(width, 3.0), caption, below)
        tried.append(layout)
    fitting = [one for one in tried if tallest is None or one.height <= tallest] or tried
    return max(fitting, key=lambda one: (one.cell_width, -one.blocks))


def as_pictures(images: Any) -> np.ndarray:
    """Pictures of any accepted form as arrays (B, H, W, 3) in [0, 1]."""
    arrays: np.ndarray = as_batch(images).permute(0, 2, 3, 1).cpu().numpy()
    return arrays


def show(axis: Axes, image: np.ndarray) -> None:
    """One picture in an axis, without ticks or grid."""
    axis.imshow(image, interpolation="bilinear", aspect="auto")
    axis.set_aspect(1)
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)


def lay_over(axis: Axes, picture: np.ndarray, heat: np.ndarray, limit: float) -> None:
    """A picture with a signed map (H, W) over it; what argues against is hatched."""
    show(axis, overlay.overlay(picture, heat, limit=limit))
    _hatch(axis, heat, limit)


def outline(axis: Axes, box: tuple[float, float], size: tuple[int, int], *, left: int = 0) -> None:
    """Dashed box of a stripe; ``box`` in shares of the height, ``size`` (height, width)."""
    top, bottom = box
    height, width = size
    frame = Rectangle((left, top * height - 0.5), width - 1, (bottom - top) * height, fill=False)
    frame.set(edgecolor="black", linestyle=(0, (4, 3)), linewidth=0.7)
    axis.add_patch(frame)


def mark_empty(axis: Axes, points: float, maps: BranchMaps) -> None:
    """Says in a picture that nothing of its map is positive, clear of the stripes' dashes."""
    edges = sorted({edge for box in maps.stripes.values() for edge in box} or {0.25, 0.5})
    middle = len(edges) // 2
    _say(axis, "empty", 1 - (edges[middle - 1] + edges[middle]) / 2, points, bbox=PAPER)


def add_scale(
    figure: Figure | SubFigure,
    axes: np.ndarray,
    limit: float,
    label: str = "part of the score at a map pixel",
) -> None:
    """The diverging scale at the figure's right."""
    bar = figure.colorbar(
        _mappable(-limit, limit), ax=axes, fraction=0.025, pad=0.02, aspect=30, extend="both"
    )
    bar.set_label(theme.wrapped(label, 0.8 * figure.bbox.height / figure.dpi, 8))
    bar.outline.set_visible(False)
    bar.ax.fill_between((0, 1), -limit, -AGAINST * limit, **HATCHED)


def _draw_foot(figure: Figure, layout: _Layout, maps: BranchMaps) -> None:
    """The scales side by side, and the caption."""
    unit = "part of the score" if maps.additive else maps.method
    branches, fused = _limits(maps)
    bars = [(-branches, branches, f"each branch: {unit} at a map pixel")]
    if len(maps.branches) > 1 and maps.fusing == "sum":
        bars.append((-fused, fused, "fused: the sum of the branches"))
    elif len(maps.branches) > 1:
        bars.append((0, fused, "fused: mean of the normalised maps"))
    share = layout.width / len(bars)
    for place, (low, high, label) in enumerate(bars):
        wide = min(0.74 * share, 2.4)
        left = (place + 0.5) * share - wide / 2
        axis = layout.axes(figure, (left, layout.rows_end + 0.08, wide, 0.07))
        bar = figure.colorbar(_mappable(low, high), cax=axis, orientation="horizontal")
        bar.outline.set_visible(False)
        axis.tick_params(labelsize=6, length=2, pad=1.5)
        axis.locator_params(axis="x", nbins=5)
        axis.set_xlabel(theme.wrapped(label, 0.92 * share, 6.5), fontsize=6.5, labelpad=1.5)
        if low < 0:
            axis.fill_betweenx((0, 1), low, AGAINST * low, **HATCHED)
    low_edge = (0.04 + layout.below) / layout.height
    figure.text(0.5, low_edge, layout.caption, fontsize=6.5, ha="center", va="bottom")


def _draw_passport(
    figure: Figure, layout: _Layout, table: pd.DataFrame, rule: str, verdicts: list[str]
) -> None:
    """Two charts side by side under everything else, and the verdicts."""
    above, charts, words, line = PASSPORT
    top, share = layout.height - layout.below + above, layout.width / 2
    for place, plot in enumerate((plot_passport_likeness, plot_passport_order)):
        ax = layout.axes(figure, (place * share + 0.45, top, share - 0.55, charts))
        plot(table, rule, ax=ax)
        ax.tick_params(labelsize=6, length=2, pad=1.5)
        for axis in (ax.xaxis, ax.yaxis):
            axis.label.set_fontsize(6.5)
    for number, verdict in enumerate(verdicts):
        height = 1 - (top + charts + words + (number + 0.5) * line) / layout.height
        figure.text(0.1 / layout.width, height, verdict, fontsize=6, va="center")


def _hatch(axis: Axes, heat: np.ndarray, limit: float) -> None:
    end = -AGAINST * limit
    if heat.min() >= end:
        return
    levels = [heat.min() - 1, end]
    against = axis.contourf(heat, levels=levels, colors="none", hatches=[HATCHED["hatch"]])
    against.set(edgecolor="#222222", linewidth=0, gid="against")


def _mappable(low: float, high: float) -> ScalarMappable:
    colours = overlay.scale_colours()[0 if low < 0 else 128 :]
    return ScalarMappable(Normalize(low, high), ListedColormap(colours))


def _say(axis: Axes, words: str, height: float, points: float, **look: Any) -> None:
    look |= {"ha": "center", "va": "center", "transform": axis.transAxes}
    axis.text(0.5, height, words, fontsize=points, **look)


def _title(name: str, maps: BranchMaps, *, short: bool) -> str:
    """A column's name; ``short`` leaves of what all branches begin with the first letter alone."""
    if name == FUSED:
        return f"fused\n({maps.fusing})"
    if not short:
        return name
    shared = os.path.commonprefix(list(maps.branches))  # noqa: RUF071
    return shared[:1] + name.removeprefix(shared) if name in maps.branches else ""


def _check(maps: BranchMaps, pictures: np.ndarray) -> None:
    if maps[FUSED].shape != pictures.shape[:3]:
        raise InputError(
            f"maps of {maps[FUSED].shape} do not belong to pictures of {pictures.shape[:3]}; "
            "draw the pictures the maps were made of, in the same order"
        )
