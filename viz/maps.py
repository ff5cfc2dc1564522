"""Branch maps as a figure: a row a picture, a column a branch, one scale for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle

from mfa.errors import InputError
from viz import overlay, style
from viz.cam.inputs import as_batch
from viz.cam.record import FUSED, BranchMaps, shared_limit


@style.themed
def draw_maps(
    maps: BranchMaps,
    images: Any,
    *,
    controls: Mapping[str, BranchMaps] | None = None,
    outlines: bool = True,
    width: style.Width | float = "double",
) -> Figure:
    """Every picture with its branch maps and the fused map.

    Red argues for the target, blue against it; all maps share one scale, which ends where 99.5 %
    of the values are below, but for a fused mean of normalised maps, which has its own. Under
    each map stands the part of the score it explains. A dashed box is the branch's stripe. A map
    without anything positive is marked ``empty``.

    Args:
        maps: from ``branch_maps``.
        images: the same pictures.
        controls: further maps of the same pictures by name, drawn under each row: random weights
            (on its own scale, since another network has other magnitudes), a shuffled reference.
        outlines: draw the stripes.
        width: of the figure, a column's name or inches.

    Raises:
        InputError: numbers or sizes of pictures and maps differ.
    """
    pictures = as_pictures(images)
    rows = {"": maps, **(controls or {})}
    for record in rows.values():
        _check(record, pictures)
    columns = [*maps.branches, FUSED] if len(maps.branches) > 1 else list(maps.branches)
    figure, axes = _grid(pictures, len(rows), len(columns) + 1, width)
    for number, picture in enumerate(pictures):
        for place, (label, record) in enumerate(rows.items()):
            row = axes[number * len(rows) + place]
            _draw_row(row, picture, number, columns, record, label, maps, outlines)
    for axis, name in zip(axes[0], ["picture", *columns], strict=True):
        axis.set_title(_title(name, maps))
    add_scale(figure, axes, maps.limit)
    figure.supxlabel(maps.caption, fontsize=7)
    return figure


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


def add_scale(
    figure: Figure | SubFigure,
    axes: np.ndarray,
    limit: float,
    label: str = "part of the score at a map pixel",
) -> None:
    """The diverging scale at the figure's right."""
    mappable = ScalarMappable(Normalize(-limit, limit), ListedColormap(overlay.scale_colours()))
    bar = figure.colorbar(mappable, ax=axes, fraction=0.025, pad=0.02, aspect=30, extend="both")
    bar.set_label(label)
    bar.outline.set_visible(False)


def _grid(
    pictures: np.ndarray, rows: int, columns: int, width: style.Width | float
) -> tuple[Figure, np.ndarray]:
    count, tall, wide = pictures.shape[:3]
    cell = (style.inches(width) - 0.9) / columns
    figure = style.figure(width, cell * tall / wide * count * rows + 0.5)
    return figure, figure.subplots(count * rows, columns, squeeze=False)


def _draw_row(
    row: np.ndarray,
    picture: np.ndarray,
    number: int,
    columns: list[str],
    record: BranchMaps,
    label: str,
    main: BranchMaps,
    outlines: bool,
) -> None:
    own_scale = "random" in label
    limit = record.limit if own_scale else main.limit
    if label:
        row[0].set_axis_off()
        words = f"{label}\n(scale ±{limit:.2g})" if own_scale else label
        row[0].text(0.5, 0.5, words, ha="center", va="center", transform=row[0].transAxes)
    else:
        show(row[0], picture)
        row[0].set_xlabel("part of score", labelpad=1)
    for axis, name in zip(row[1:], columns, strict=True):
        scale = _mean_limit(record) if name == FUSED and record.fusing == "mean" else limit
        show(axis, overlay.overlay(picture, record[name][number], limit=scale))
        if outlines and name in record.stripes:
            outline(axis, record.stripes[name], picture.shape[:2])
        if record.empty[name][number]:
            axis.text(0.5, 0.5, "empty", ha="center", va="center", transform=axis.transAxes)
        axis.set_xlabel(f"{record.scores[name][number]:+.2f}", labelpad=1)


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
