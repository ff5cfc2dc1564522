"""One pair explained: the score, branch by branch, pixel by pixel, as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from mfa.explain.ledger import PairLedger, Side
from mfa.explain.rank_ledgers import rank_ledgers
from mfa.explain.record import shared_limit
from mfa.records import ReidDataset
from viz import theme
from viz.grids.maps import add_scale, as_pictures, outline, show
from viz.images import overlay


def draw_pair(
    run: Any,
    query: Any,
    gallery: Any,
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | None = None,
    reference: Any = None,
    width: theme.Width | float = "double",
) -> Figure:
    """Why two pictures are as close as they are: signed maps that add up to the cosine.

    Args:
        run: a run or a network.
        query: a picture, a path, or a position in the dataset's query list.
        gallery: the same, of the gallery list.
        data: dataset of the positions, or its name; by default what the run was trained on.
        data_root: folder that the datasets lie in, for a name.
        reference: see ``mfa.pair_ledgers``; by default some gallery pictures where a run and
            positions are given, else none.
        width: of the figure, a column's name or inches.

    Raises:
        InputError: a position outside its list or without a dataset, or a picture that cannot be
            read.
    """
    found = rank_ledgers(run, query, [gallery], data=data, data_root=data_root, reference=reference)
    return draw_ledger(found.ledgers[0], found.query, found.gallery[0], width=width)


@theme.themed
def draw_ledger(
    ledger: PairLedger,
    query_image: np.ndarray,
    gallery_image: np.ndarray,
    *,
    width: theme.Width | float = "double",
) -> Figure:
    """A ledger with its two pictures: maps above, the sum as bars below.

    Every map shares one scale. Under a map stands what its pixels add to the cosine; the bias,
    which they do not bring, has its own bar so that a high cosine is not taken for agreement.

    Args:
        ledger: of the pair.
        query_image: (H, W, 3).
        gallery_image: (H, W, 3).
        width: of the figure.
    """
    count = len(ledger.branches)
    columns = count + (2 if count > 1 else 1)
    cell = (theme.inches(width) - 1.0) / columns
    tall = sum(cell * side.shape[0] / side.shape[1] for side in (query_image, gallery_image))
    bars = (0.55 if theme.inches(width) > 5 else 0.85) + 0.17 * count
    figure = theme.figure(width, tall + bars + 0.55)
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=(tall + 0.55, bars))
    upper, lower = parts[:, 0]
    points = theme.fitted(cell, 9)
    axes = upper.subplots(2, columns, squeeze=False)
    both = [*ledger.maps("query").values(), *ledger.maps("gallery").values()]
    limit = shared_limit(both)
    sides: list[tuple[Side, np.ndarray]] = [("query", query_image), ("gallery", gallery_image)]
    for row, (side, image) in zip(axes, sides, strict=True):
        _draw_side(row, side, as_pictures(image)[0], ledger, limit, points)
    axes[0, 0].set_title(theme.wrapped(f"cosine {ledger.score:.3f}", cell, points), fontsize=points)
    add_scale(upper, axes, limit, "part of the cosine at a map pixel")
    _draw_bars(lower, ledger, theme.inches(width))
    return figure


def _draw_side(
    row: np.ndarray,
    side: Side,
    image: np.ndarray,
    ledger: PairLedger,
    limit: float,
    points: float,
) -> None:
    show(row[0], image)
    row[0].set_ylabel(side)
    grids = ledger.grids(side)
    for axis, (name, heat) in zip(row[1:], ledger.maps(side).items(), strict=True):
        large = grids[name].enlarge(heat, image.shape[:2])
        show(axis, overlay.overlay(image, large, limit=limit))
        if name in ledger.stripes:
            outline(axis, ledger.stripes[name], image.shape[:2])
        if side == "query":
            axis.set_title(name, fontsize=points)
        axis.set_xlabel(f"{heat.sum():+.3f}", labelpad=1, fontsize=points)


def _draw_bars(figure: SubFigure, ledger: PairLedger, width: float) -> None:
    axis: Axes = figure.subplots()
    table = ledger.table()
    names = list(table["branch"])
    for number, pixels, bias in zip(
        range(len(table)), table["query_pixels"], table["query_bias"], strict=True
    ):
        colour = theme.PALETTE[number % len(theme.PALETTE)]
        axis.barh(number - 0.18, pixels, height=0.34, color=colour)
        axis.barh(number + 0.18, bias, height=0.34, color="white", edgecolor=colour, hatch="////")
    axis.axvline(0, color="black", linewidth=0.7)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.grid(visible=False, axis="y")
    pixels, bias = table["query_pixels"].sum(), table["query_bias"].sum()
    origin = "reference" if ledger.centred else "bias of BNNeck"
    words = (
        f"query's pixels (filled) {pixels:+.3f}, {origin} (hatched) {bias:+.3f}, "
        f"together {pixels + bias:.3f}"
    )
    axis.set_xlabel(theme.wrapped(words, width - 1, 8))
    axis.xaxis.set_major_locator(MaxNLocator(nbins=8 if width > 5 else 5))
