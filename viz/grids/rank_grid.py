"""Rank grids for print: the query and its first ranks, one model or several, as one figure.

What is right, wrong or not counted is read from the result. A tick, a cross and a dashed frame
say it again for a black-and-white print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from mfa.errors import InputError
from mfa.records import Features, ReidDataset
from viz import theme
from viz.grids import rank_cards
from viz.images.sheet import POINT, put, sheet, write

if TYPE_CHECKING:
    from mfa.retrieval.results import RetrievalResult

T = TypeVar("T")

COLORS = {
    "query": theme.QUERY,
    "match": theme.MATCH,
    "wrong": theme.WRONG,
    "ignored": theme.IGNORED,
    "unlabelled": theme.IGNORED,
}
"""Of the frames."""

STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "match": (((0.27, 0.53), (0.44, 0.70), (0.74, 0.34)),),
    "wrong": (((0.32, 0.32), (0.68, 0.68)), ((0.68, 0.32), (0.32, 0.68))),
}
"""Lines of the tick and the cross in a unit square, y down."""

DASHES: dict[str, str | tuple[float, tuple[float, float]]] = {
    "query": "solid",
    "match": "solid",
    "wrong": (0.0, (2.2, 1.3)),
    "ignored": (0.0, (0.8, 1.2)),
    "unlabelled": "solid",
}


class _Layout:
    """Sizes in inches; y runs down from the top of the figure. Lines and words are in points."""

    def __init__(self, width: float, columns: int) -> None:
        self.margin = 0.03
        self.step = (width - 2 * self.margin) / (columns + 0.25)
        self.card = 0.86 * self.step
        self.picture = 2 * self.card
        # As heavy for the eye on a narrow card as on a wide one.
        self.frame = float(np.clip(self.card / POINT / 27, 0.8, 1.5))
        # A caption of some ten letters fits the card, and stays readable.
        self.font = float(np.clip(self.step / POINT / 6.6, 5.0, 7.0))
        self.line = 1.25 * self.font * POINT
        self.row = 1.6 * self.line + self.picture + 2.6 * self.line

    def left(self, column: int) -> float:
        """Left edge of a card; column 0 is the query, a gap parts it from the ranks."""
        shift = 0.25 * self.step if column else 0.0
        return self.margin + column * self.step + shift + (self.step - self.card) / 2


@theme.themed
def draw_rank_grid(
    results: RetrievalResult | Mapping[str, RetrievalResult],
    dataset: ReidDataset,
    queries: rank_cards.Choice = "worst",
    k: int = 10,
    *,
    include_junk: bool = False,
    count: int = 4,
    seed: int = 0,
    width: theme.Width | float = "double",
    blur_faces: bool = False,
) -> theme.Picture:
    """The first ``k`` ranks of some queries, with the models, if several, one under another.

    Args:
        results: one result, or results by model name; the first one's per-query table chooses
            the queries.
        dataset: the pictures the results were made on.
        queries: ``worst`` (lowest AP), ``first_error`` (first answer wrong), ``random``, or
            positions in the query list.
        k: ranks shown.
        include_junk: show pictures the metric ignored where they fall, greyed.
        count: queries shown, where they are not given one by one.
        seed: of the random choice.
        width: ``single``, ``double`` or inches.
        blur_faces: coarsen the top fifth of every picture.

    Raises:
        InputError: no such query, no model, or another dataset than the results'.
    """
    models = _by_name(results, "result")
    chosen = rank_cards.choose(next(iter(models.values())), queries, count, seed)
    shown = {
        name: rank_cards.rows(result, dataset, chosen, k, include_junk)
        for name, result in models.items()
    }
    return draw_rows(shown, theme.inches(width), k, blur_faces)


@theme.themed
def draw_ranking(
    features: Features | Mapping[str, Features],
    dataset: ReidDataset,
    queries: Sequence[int] | None = None,
    k: int = 10,
    *,
    count: int = 4,
    seed: int = 0,
    width: theme.Width | float = "double",
    blur_faces: bool = False,
) -> theme.Picture:
    """The ``k`` nearest pictures of some queries, without scores and marks: no label is read.

    Args:
        features: of one model, or of several by name.
        dataset: the pictures the features were made on.
        queries: rows of the query features; by default ``count`` of them at random.
        k: ranks shown.
        count: queries shown, where they are not given one by one.
        seed: of the random choice.
        width: ``single``, ``double`` or inches.
        blur_faces: coarsen the top fifth of every picture.

    Raises:
        InputError: no such query, no model, or another dataset than the features'.
    """
    models = _by_name(features, "features")
    if queries is None:
        rows = len(next(iter(models.values())).query)
        queries = np.random.default_rng(seed).permutation(rows)[:count].tolist()
    shown = {
        name: rank_cards.unlabelled_rows(own, dataset, queries, k) for name, own in models.items()
    }
    return draw_rows(shown, theme.inches(width), k, blur_faces)


def draw_rows(
    rows: Mapping[str, Sequence[rank_cards.Row]], width: float, k: int, blur_faces: bool = False
) -> theme.Picture:
    """A figure of rows of cards: ``rows`` by model, those of one query below each other."""
    layout, several = _Layout(width, k + 1), len(rows) > 1
    groups = list(zip(*rows.values(), strict=True))
    header = 1.5 * layout.line if several else 0.0
    figure, canvas = sheet(width, len(groups) * (header + layout.row * len(rows)))
    top = 0.0
    for number, group in enumerate(groups):
        if several:
            write(canvas, (layout.left(0), top + 0.2 * layout.line), group[0].name, layout.font)
            top += header
        for place, (model, row) in enumerate(zip(rows, group, strict=True)):
            title = f"{model if several else row.name}   {row.score}"
            left = layout.left(1 if several else 0)
            write(canvas, (left, top + 0.2 * layout.line), title, layout.font)
            for column, card in enumerate((row.query, *row.cards)):
                if column or not place:  # the models share the query's picture
                    name = f"{number}/{place}/{column}"
                    corner = layout.left(column), top + 1.6 * layout.line
                    _draw_card(canvas, layout, card, corner, name, blur_faces)
            top += layout.row
    return figure


def _by_name(given: T | Mapping[str, T], what: str) -> dict[str, T]:
    """What was given for each model; one model needs no name."""
    models: dict[str, T] = dict(given) if isinstance(given, Mapping) else {"": given}
    if not models:
        raise InputError(f"the rank grid was given no {what}")
    return models


def _draw_card(
    canvas: Axes,
    layout: _Layout,
    card: rank_cards.Card,
    corner: tuple[float, float],
    name: str,
    blur_faces: bool,
) -> None:
    left, top = corner
    right, bottom = left + layout.card, top + layout.picture
    box = (left, top, layout.card, layout.picture)
    faded = card.kind == "ignored"
    put(canvas, card.image.path, box, name, faded=faded, blur_faces=blur_faces)
    frame = Rectangle(corner, layout.card, layout.picture, fill=False)
    frame.set(joinstyle="miter", capstyle="butt", linewidth=layout.frame)
    frame.set(edgecolor=COLORS[card.kind], linestyle=DASHES[card.kind])
    frame.set_gid(f"frame/{card.kind}/{name}")
    canvas.add_patch(frame)
    if card.kind in STROKES:
        _draw_mark(canvas, card.kind, (right, top), 0.13 * layout.card, name)
    middle = (left + right) / 2
    first, second = card.caption(narrow=layout.step < 0.45)
    below = bottom + 0.25 * layout.line
    write(canvas, (middle, below), first, layout.font, align="center")
    below += 0.9 * layout.line
    write(canvas, (middle, below), second, layout.font, align="center", color="#555555")


def _draw_mark(
    canvas: Axes, kind: str, center: tuple[float, float], radius: float, name: str
) -> None:
    """The tick or cross on its disc, as lines: a font may lack the glyph."""
    x, y = center[0] - 0.5 * radius, center[1] + 0.5 * radius
    disc = Circle((x, y), radius, facecolor=COLORS[kind], edgecolor="white", linewidth=0.5)
    disc.set(zorder=3, gid=f"mark/{kind}/{name}")
    canvas.add_patch(disc)
    for stroke in STROKES[kind]:
        across = [x + 2 * radius * (u - 0.5) for u, _ in stroke]
        down = [y + 2 * radius * (v - 0.5) for _, v in stroke]
        line = Line2D(across, down, color="white", linewidth=0.22 * radius / POINT, zorder=4)
        line.set_solid_capstyle("round")
        canvas.add_line(line)
