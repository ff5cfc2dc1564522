"""A query and its first ranks as one picture for the screen, drawn by PIL in a few milliseconds.

matplotlib takes some hundred milliseconds for the same; ``viz.rank_grid`` uses it for print.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageColor, ImageDraw, ImageFont

from mfa.records import ReidDataset
from viz import theme
from viz.grids import rank_cards
from viz.images import load

if TYPE_CHECKING:
    from mfa.retrieval.results import RetrievalResult

COLORS = {
    "query": theme.QUERY,
    "match": theme.MATCH,
    "wrong": theme.WRONG,
    "ignored": theme.IGNORED,
}
FRAME = 4
GAP = 7
TITLE = 22
CAPTION = 34
DASH = 9
"""Pixels: frame width, space between cards, heights of title and caption, length of a dash."""

INK = "#222222"
FAINT = "#666666"


def rank_strip(
    result: RetrievalResult,
    dataset: ReidDataset,
    query: int,
    k: int = 10,
    *,
    include_junk: bool = False,
    height: int = 200,
    hide_face: bool = False,
) -> Image.Image:
    """The query and its first ``k`` ranks, 1,280 pixels wide for ``k`` = 10.

    Matches carry a green frame and a tick, wrong ones a dashed red frame and a cross, pictures
    the metric ignored a grey dotted frame; under each: rank, camera, distance.

    Args:
        result: scored features.
        dataset: the pictures the result was made on.
        query: position in the query list.
        k: ranks shown.
        include_junk: show ignored pictures where they fall, greyed.
        height: of one picture in pixels; its width is half of it.
        hide_face: coarsen the top fifth of every picture.

    Raises:
        InputError: no such query, or a dataset the result was not made on.
    """
    return draw_row(
        rank_cards.row(result, dataset, query, k, include_junk), height=height, hide_face=hide_face
    )


def draw_row(row: rank_cards.Row, *, height: int = 200, hide_face: bool = False) -> Image.Image:
    """One row of cards as a picture; see ``rank_strip``."""
    size = (height // 2, height)
    step = size[0] + 2 * FRAME + GAP
    shown = (row.query, *row.cards)
    width = GAP + step * len(shown) + GAP  # one more gap parts the query from the ranks
    strip = Image.new("RGB", (width, TITLE + height + 2 * FRAME + CAPTION), load.PAPER)
    pen = ImageDraw.Draw(strip)
    pen.text((GAP, 3), _fit(f"{row.name}   {row.score}", width - 2 * GAP), fill=INK, font=_font(13))
    for position, card in enumerate(shown):
        left = GAP + step * position + (GAP if position else 0)
        _draw_card(strip, pen, card, (left, TITLE), size, hide_face)
    return strip


def _draw_card(
    strip: Image.Image,
    pen: ImageDraw.ImageDraw,
    card: rank_cards.Card,
    corner: tuple[int, int],
    size: tuple[int, int],
    hide_face: bool,
) -> None:
    left, top = corner
    picture = load.load(card.path, size, hide_face)
    if card.kind == "ignored":
        picture = load.fade(picture)
    strip.paste(_frame(card.kind, size), corner)
    strip.paste(picture, (left + FRAME, top + FRAME))
    if card.kind in ("match", "wrong"):
        mark = _mark(card.kind, 22)
        strip.paste(mark, (left + size[0] + 2 * FRAME - 20, top - 2), mark)
    middle = left + FRAME + size[0] // 2
    below = top + size[1] + 2 * FRAME
    first, second = card.caption()
    pen.text((middle, below + 2), first, fill=INK, font=_font(12), anchor="ma")
    pen.text((middle, below + 17), second, fill=FAINT, font=_font(12), anchor="ma")


@lru_cache(maxsize=64)
def _frame(kind: str, size: tuple[int, int]) -> Image.Image:
    width, height = size[0] + 2 * FRAME, size[1] + 2 * FRAME
    solid = kind in ("query", "match")
    frame = Image.new("RGB", (width, height), COLORS[kind] if solid else load.PAPER)
    if solid:
        return frame
    dash = DASH if kind == "wrong" else FRAME
    pen = ImageDraw.Draw(frame)
    for x in range(0, width, 2 * dash):
        for y in (0, height - FRAME):
            pen.rectangle((x, y, x + dash - 1, y + FRAME - 1), fill=COLORS[kind])
    for y in range(0, height, 2 * dash):
        for x in (0, width - FRAME):
            pen.rectangle((x, y, x + FRAME - 1, y + dash - 1), fill=COLORS[kind])
    return frame


@lru_cache(maxsize=8)
def _mark(kind: str, side: int) -> Image.Image:
    """A white tick or cross on a coloured disc; shapes, so that no font is asked for a glyph."""
    fine = 8 * side
    red, green, blue = ImageColor.getrgb(COLORS[kind])[:3]
    mark = Image.new("RGBA", (fine, fine), (red, green, blue, 0))
    pen = ImageDraw.Draw(mark)
    pen.ellipse((0, 0, fine - 1, fine - 1), fill=load.PAPER)
    rim = fine // 14
    pen.ellipse((rim, rim, fine - 1 - rim, fine - 1 - rim), fill=(red, green, blue, 255))
    for line in STROKES[kind]:
        points = [(fine * x, fine * y) for x, y in line]
        pen.line(points, fill=load.PAPER, width=fine // 8, joint="curve")
    return mark.resize((side, side), Image.Resampling.LANCZOS)


STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "match": (((0.27, 0.53), (0.44, 0.70), (0.74, 0.34)),),
    "wrong": (((0.32, 0.32), (0.68, 0.68)), ((0.68, 0.32), (0.32, 0.68))),
}
"""Lines of the tick and the cross in a unit square, y down."""


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(theme.font_file(), size)


def _fit(text: str, width: int) -> str:
    font = _font(13)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
