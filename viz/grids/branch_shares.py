"""Which branch brought a gallery picture up: its cosine as a stacked bar under the picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mfa.errors import InputError
from mfa.explain.ledger import PairLedger
from mfa.explain.rank_ledgers import rank_ledgers
from mfa.records import ReidDataset
from mfa.runs.run import Run
from viz import theme
from viz.grids.maps import as_pictures, show

SCALE, LEGEND = 0.6, 1.1
"""Inches of the axis at the left, and of an entry of the legend."""


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
        width: of the figure.

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
    """Ledgers of one query with their pictures.

    In a bar each branch has its colour: filled what the query's pixels bring, hatched what they do
    not (the bias). What argues against goes down from zero. A dot stands at the cosine.

    Args:
        ledgers: of ``pair_ledgers``.
        query_image: the query.
        gallery_images: as many pictures as ledgers.
        matches: whether each is of the query's person, marked in its title where given.
        width: of the figure.

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
    names = list(ledgers[0].branches)
    beside = max(1, int((across - 0.4) / LEGEND))
    rows = -(-(len(names) + 1) // beside)
    figure = theme.figure(width, tall + 1.7 + 0.2 * rows)
    axes = figure.subplots(
        2, len(ledgers) + 1, squeeze=False, sharey="row", height_ratios=(tall, 1.4)
    )
    show(axes[0, 0], as_pictures(query_image)[0])
    axes[0, 0].set_title("query", fontsize=points)
    axes[1, 0].set_axis_off()
    marks = [""] * len(ledgers) if matches is None else ["✓ " if m else "✗ " for m in matches]
    for column, ledger, picture, mark in zip(axes.T[1:], ledgers, pictures, marks, strict=True):
        show(column[0], picture)
        column[0].set_title(f"{mark}{ledger.score:.3f}", fontsize=points)
        stack(column[1], ledger)
    axes[1, 1].set_ylabel("cosine")
    axes[1, 1].tick_params(labelleft=True)  # the shared labels went with the query's empty place
    handles = [
        Patch(color=theme.PALETTE[i % len(theme.PALETTE)], label=name)
        for i, name in enumerate(names)
    ]
    origin = "reference" if ledgers[0].centred else "bias"
    handles.append(Patch(facecolor="white", edgecolor="black", hatch="////", label=origin))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), beside))
    return figure


def stack(axis: Axes, ledger: PairLedger) -> None:
    """One ledger as a stacked bar: parts above zero upwards, parts below it downwards."""
    ends = {True: 0.0, False: 0.0}
    for number, part in enumerate(ledger.branches.values()):
        colour = theme.PALETTE[number % len(theme.PALETTE)]
        looks: tuple[dict[str, Any], ...] = (
            {"color": colour},
            {"facecolor": "white", "edgecolor": colour, "hatch": "////"},
        )
        values = (float(part.query_map.sum()), part.query_bias)
        for value, look in zip(values, looks, strict=True):
            axis.bar(0, value, bottom=ends[value >= 0], width=0.6, linewidth=0.6, **look)
            ends[value >= 0] += value
    axis.axhline(0, color="black", linewidth=0.7)
    axis.plot(0, ledger.score, "o", color="black", markersize=3)
    axis.set_xlim(-0.6, 0.6)
    axis.set_xticks([])
    axis.margins(y=0.1)
