"""Branch maps as a figure: a row a picture, a column a branch, one scale for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle

from mfa.errors import InputError
from mfa.explain.inputs import as_batch
from mfa.explain.record import FUSED, BranchMaps, shared_limit
from viz import theme
from viz.images import overlay

SCALE, CAPTION = 0.9, 0.3
"""Inches at the right of a figure, and at its foot."""

NARROWEST = 0.35
"""Inches of a picture under which the words of neighbours would run into each other."""

BELOW = "part of score"

PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
"""Behind words that stand on a picture."""


@theme.themed
def draw_maps(
    maps: BranchMaps,
    images: Any,
    *,
    sanity_checks: Mapping[str, BranchMaps] | None = None,
    outlines: bool = True,
    width: theme.Width | float = "double",
    tallest: float | None = None,
) -> Figure:
    """Every picture with its branch maps and the fused map.

    Red argues for the target, blue against it; all maps share one scale, which ends where 99.5 %
    of the values are below, but for a fused mean of normalised maps, which has its own. Under
    each map stands the part of the score it explains. A dashed box is the branch's stripe. A map
    without anything positive is marked ``empty``.

    Args:
        maps: from ``branch_maps``.
        images: the same pictures.
        sanity_checks: further maps of the same pictures by name, drawn under each row: random
            weights (on its own scale, since another network has other magnitudes), a shuffled
            target.
        outlines: draw the stripes.
        width: of the figure, a column's name or inches.
        tallest: height in inches that the figure keeps to, such as ``theme.PAGE``, by growing
            narrower as long as its words can be read; ``None`` for a screen, where one scrolls.

    Raises:
        InputError: numbers or sizes of pictures and maps differ.
    """
    pictures = as_pictures(images)
    rows = {"": maps, **(sanity_checks or {})}
    for record in rows.values():
        _check(record, pictures)
    columns = [*maps.branches, FUSED] if len(maps.branches) > 1 else list(maps.branches)
    shape = (len(pictures) * len(rows), len(columns) + 1)
    cell = _cell(shape, pictures.shape[2] / pictures.shape[1], width, tallest)
    titles = [cell.wrap(_title(name, maps)) for name in ("picture", *columns)]
    figure = cell.figure(shape, max(title.count("\n") for title in titles))
    axes = figure.subplots(*shape, squeeze=False)
    for number, picture in enumerate(pictures):
        for place, (label, record) in enumerate(rows.items()):
            row = axes[number * len(rows) + place]
            _draw_row(row, picture, number, columns, record, label, maps, outlines, cell)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=cell.points)
    add_scale(figure, axes, maps.limit)
    figure.supxlabel(theme.wrapped(maps.caption, figure.get_figwidth(), 7), fontsize=7)
    return figure


@dataclass(frozen=True)
class _Cell:
    """Room for one picture in inches; words are made to fit it, since neighbours have some too."""

    width: float
    height: float

    @property
    def points(self) -> float:
        return theme.fitted(self.width)

    @property
    def line(self) -> float:
        return 1.25 * self.points / 72

    def wrap(self, text: str) -> str:
        return theme.wrapped(text, self.width, self.points)

    @property
    def below(self) -> float:
        """Height of the words under a picture."""
        return 0.06 + self.line * (1 + self.wrap(BELOW).count("\n"))

    def figure(self, shape: tuple[int, int], breaks: int) -> Figure:
        """An empty figure for rows and columns of cells under titles with that many line breaks."""
        lines, columns = shape
        above = CAPTION + self.line * (1 + breaks)
        return theme.figure(
            columns * self.width + SCALE, lines * (self.height + self.below) + above
        )


def _cell(
    shape: tuple[int, int], aspect: float, width: theme.Width | float, tallest: float | None
) -> _Cell:
    """As wide as the figure's width allows, and, down to ``NARROWEST``, its height."""
    lines, columns = shape
    across = (theme.inches(width) - SCALE) / columns
    if tallest is not None:
        words = _Cell(NARROWEST, NARROWEST / aspect).below
        high = (tallest - 3 * CAPTION) / lines - words
        across = min(across, max(high * aspect, NARROWEST))
    return _Cell(across, across / aspect)


def as_pictures(images: Any) -> np.ndarray:
    """Pictures of any accepted form as arrays (B, H, W, 3) in [0, 1]."""
    arrays: np.ndarray = as_batch(images).permute(0, 2, 3, 1).cpu().numpy()
    return arrays


def show(axis: Axes, image: np.ndarray) -> None:
    """One picture in an axis, without ticks or grid."""
    axis.imshow(image, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)


def outline(axis: Axes, box: tuple[float, float], size: tuple[int, int]) -> None:
    """Dashed box of a stripe; ``box`` in shares of the height, ``size`` (height, width)."""
    top, bottom = box
    height, width = size
    axis.add_patch(
        Rectangle(
            (0, top * height - 0.5),
            width - 1,
            (bottom - top) * height,
            fill=False,
            edgecolor="black",
            linestyle=(0, (4, 3)),
            linewidth=0.7,
        )
    )


def mark_empty(axis: Axes, points: float) -> None:
    """Says in a picture that nothing of its map is positive."""
    # Clear of the dashes of the usual four stripes, and readable on a dark picture.
    _say(axis, "empty", 0.625, points, bbox=PAPER)


def add_scale(
    figure: Figure | SubFigure,
    axes: np.ndarray,
    limit: float,
    label: str = "part of the score at a map pixel",
) -> None:
    """The diverging scale at the figure's right."""
    mappable = ScalarMappable(Normalize(-limit, limit), ListedColormap(overlay.scale_colours()))
    bar = figure.colorbar(mappable, ax=axes, fraction=0.025, pad=0.02, aspect=30, extend="both")
    bar.set_label(theme.wrapped(label, 0.8 * figure.bbox.height / figure.dpi, 8))
    bar.outline.set_visible(False)


def _draw_row(
    row: np.ndarray,
    picture: np.ndarray,
    number: int,
    columns: list[str],
    record: BranchMaps,
    label: str,
    main: BranchMaps,
    outlines: bool,
    cell: _Cell,
) -> None:
    own_scale = "random" in label
    limit = record.limit if own_scale else main.limit
    if label:
        row[0].set_axis_off()
        words = f"{label}\n(scale ±{limit:.2g})" if own_scale else label
        _say(row[0], cell.wrap(words), 0.5, cell.points)
    else:
        show(row[0], picture)
        row[0].set_xlabel(cell.wrap(BELOW), labelpad=1, fontsize=cell.points)
    for axis, name in zip(row[1:], columns, strict=True):
        scale = _mean_limit(record) if name == FUSED and record.fusing == "mean" else limit
        show(axis, overlay.overlay(picture, record[name][number], limit=scale))
        if outlines and name in record.stripes:
            outline(axis, record.stripes[name], picture.shape[:2])
        if record.empty[name][number]:
            mark_empty(axis, cell.points)
        score = f"{record.scores[name][number]:+.2f}"
        axis.set_xlabel(score, labelpad=1, fontsize=cell.points)


def _say(axis: Axes, words: str, height: float, points: float, **look: Any) -> None:
    place: dict[str, Any] = {"ha": "center", "va": "center", "transform": axis.transAxes}
    axis.text(0.5, height, words, fontsize=points, **place, **look)


def _title(name: str, maps: BranchMaps) -> str:
    if name != FUSED:
        return name
    if maps.fusing == "sum":
        return "fused\n(sum)"
    return f"fused (mean,\n0 to {_mean_limit(maps):.2f})"


def _mean_limit(maps: BranchMaps) -> float:
    """Where the scale of means of normalised maps ends: 1 only if all branches peak together."""
    return shared_limit([maps[FUSED]])


def _check(maps: BranchMaps, pictures: np.ndarray) -> None:
    if maps[FUSED].shape != pictures.shape[:3]:
        raise InputError(
            f"maps of {maps[FUSED].shape} do not belong to pictures of {pictures.shape[:3]}; "
            "draw the pictures the maps were made of, in the same order"
        )
