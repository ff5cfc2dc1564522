"""Score ledgers as figures: one pair pixel by pixel, or a query's first ranks branch by branch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from mfa.errors import InputError
from mfa.explain.ledger import PairLedger, Side
from mfa.explain.rank_ledgers import rank_ledgers
from mfa.explain.record import shared_limit
from mfa.records import ReidDataset
from mfa.runs.run import Run
from viz import theme
from viz.grids.maps import add_scale, as_pictures, lay_over, outline, show

SCALE, ENTRY = 0.6, 1.1
"""Inches of the axis at the left, and of an entry of the legend."""

SIDES: tuple[Side, ...] = ("query", "gallery")


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
    query_image: Any,
    gallery_image: Any,
    *,
    width: theme.Width | float = "double",
) -> Figure:
    """A ledger with its two pictures: maps above, their sums as bars below.

    All maps share one scale. The number under a map is the sum of that map. The bias is no pixel's
    part; it has its own bar, so that a high cosine is not taken for agreement.

    Args:
        ledger: of the pair.
        query_image: (H, W, 3).
        gallery_image: (H, W, 3).
        width: of the figure, a column's name or inches.

    Raises:
        InputError: something that is no picture.
    """
    pictures = [as_pictures(image)[0] for image in (query_image, gallery_image)]
    count, across = len(ledger.branches), theme.inches(width)
    columns = count + (2 if count > 1 else 1)
    cell = (across - 1.0) / columns
    points = theme.fitted(cell, 9)
    tall = sum(cell * picture.shape[0] / picture.shape[1] for picture in pictures)
    bars = (0.55 if across > 5 else 0.85) + 0.17 * count
    figure = theme.figure(across, tall + bars + 0.55)
    halves = figure.subfigures(2, 1, squeeze=False, height_ratios=(tall + 0.55, bars))
    upper, lower = halves[:, 0]
    axes = upper.subplots(2, columns, squeeze=False)
    limit = shared_limit([heat for side in SIDES for heat in ledger.maps(side).values()])
    for row, side, picture in zip(axes, SIDES, pictures, strict=True):
        show(row[0], picture)
        row[0].set_ylabel(side)
        for axis, (name, heat) in zip(row[1:], ledger.maps(side).items(), strict=True):
            enlarged = ledger.grids(side)[name].enlarge(heat, picture.shape[:2])
            lay_over(axis, picture, enlarged, limit)
            if name in ledger.stripes:
                outline(axis, ledger.stripes[name], picture.shape[:2])
            if side == "query":
                axis.set_title(name, fontsize=points)
            axis.set_xlabel(f"{heat.sum():+.3f}", labelpad=1, fontsize=points)
    axes[0, 0].set_title(theme.wrapped(f"cosine {ledger.score:.3f}", cell, points), fontsize=points)
    add_scale(upper, axes, limit, "part of the cosine at a map pixel")
    _draw_bars(lower.subplots(), ledger, across)
    return figure


def _draw_bars(axis: Axes, ledger: PairLedger, width: float) -> None:
    table, colours = ledger.table(), theme.branch_colours(ledger.branches)
    for place, row in enumerate(table.to_dict("records")):
        filled, hatched = _looks(colours[row["branch"]])
        axis.barh(place - 0.18, row["query_pixels"], height=0.34, **filled)
        axis.barh(place + 0.18, row["query_bias"], height=0.34, **hatched)
    axis.axvline(0, color="black", linewidth=0.7)
    axis.set_yticks(range(len(table)), list(table["branch"]))
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


def draw_rank_shares(
    run: Run,
    query: int,
    gallery: Sequence[int],
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | None = None,
    width: theme.Width | float = "double",
) -> Figure:
    """A query and some gallery pictures, each with its score ledger as a stacked bar.

    The mean part of some gallery pictures is subtracted from the pixels' parts, see
    ``mfa.pair_ledgers``.

    Args:
        run: a run.
        query: position in the query list.
        gallery: positions in the gallery list, as ranked.
        data: dataset of the positions, or its name; by default what the run was trained on.
        data_root: folder that the datasets lie in, for a name.
        width: of the figure, a column's name or inches.

    Raises:
        InputError: no such position, or a picture that cannot be read.
    """
    found = rank_ledgers(run, query, gallery, data=data, data_root=data_root)
    return draw_branch_shares(
        found.ledgers, found.query, found.gallery, matches=found.matches, width=width
    )


@theme.themed
def draw_branch_shares(
    ledgers: Sequence[PairLedger],
    query_image: Any,
    gallery_images: Any,
    *,
    matches: Sequence[bool] | None = None,
    width: theme.Width | float = "double",
) -> Figure:
    """Ledgers of one query with their pictures, each as a stacked bar.

    Each branch has its colour: filled is the part of the query's pixels, hatched the bias. What
    argues against goes down from zero. A dot stands at the cosine.

    Args:
        ledgers: of ``pair_ledgers``.
        query_image: the query.
        gallery_images: as many pictures as ledgers.
        matches: whether each is of the query's person; marked in its title where given.
        width: of the figure, a column's name or inches.

    Raises:
        InputError: numbers of ledgers and pictures differ.
    """
    pictures = as_pictures(gallery_images)
    if len(pictures) != len(ledgers):
        raise InputError(f"{len(ledgers)} ledgers but {len(pictures)} gallery pictures")
    across = theme.inches(width)
    cell = (across - SCALE) / (len(ledgers) + 1)
    points = theme.fitted(cell, 9)
    tall = cell * pictures.shape[1] / pictures.shape[2]
    colours = theme.branch_colours(ledgers[0].branches)
    beside = max(1, int((across - 0.4) / ENTRY))
    rows = math.ceil((len(colours) + 1) / beside)
    figure = theme.figure(across, tall + 1.7 + 0.2 * rows)
    axes = figure.subplots(2, len(ledgers) + 1, sharey="row", height_ratios=(tall, 1.4))
    show(axes[0, 0], as_pictures(query_image)[0])
    axes[0, 0].set_title("query", fontsize=points)
    axes[1, 0].set_axis_off()
    marks = [""] * len(ledgers) if matches is None else ["✓ " if m else "✗ " for m in matches]
    for column, ledger, picture, mark in zip(axes.T[1:], ledgers, pictures, marks, strict=True):
        show(column[0], picture)
        column[0].set_title(f"{mark}{ledger.score:.3f}", fontsize=points)
        _stack(column[1], ledger, colours)
    axes[1, 1].set_ylabel("cosine")
    axes[1, 1].tick_params(labelleft=True)  # the shared labels went with the query's empty place
    origin = "reference" if ledgers[0].centred else "bias"
    handles = [Patch(color=colour, label=name) for name, colour in colours.items()]
    handles.append(Patch(**_looks("black")[1], label=origin))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), beside))
    return figure


def _stack(axis: Axes, ledger: PairLedger, colours: dict[str, str]) -> None:
    """One ledger as a stacked bar: parts above zero upwards, parts below it downwards."""
    ends = {True: 0.0, False: 0.0}
    for name, part in ledger.branches.items():
        values = (float(part.query_map.sum()), part.query_bias)
        for value, look in zip(values, _looks(colours[name]), strict=True):
            axis.bar(0, value, bottom=ends[value >= 0], width=0.6, linewidth=0.6, **look)
            ends[value >= 0] += value
    axis.axhline(0, color="black", linewidth=0.7)
    axis.plot(0, ledger.score, "o", color="black", markersize=3)
    axis.set(xlim=(-0.6, 0.6), xticks=[])
    axis.margins(y=0.1)


def _looks(colour: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of a bar of pixels, and of a bar of what no pixel brings."""
    return {"color": colour}, {"facecolor": "white", "edgecolor": colour, "hatch": "////"}
