"""One look for every picture: colours that survive colour blindness, sizes that survive print.

Figures are made without pyplot, so that none stays open behind the user's back. The same input
gives the same bytes: the fonts come with matplotlib, the hash salt is fixed, no date is written.
The settings of matplotlib lie in ``mfa.mplstyle`` beside this file.
"""

from __future__ import annotations

import difflib
import functools
import io
import itertools
import os
import textwrap
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ticker import FuncFormatter, LogFormatter

from mfa.errors import InputError

P = ParamSpec("P")
R = TypeVar("R")

Width = str
"""Name of a column, see ``INCHES``."""

MATCH = "#009E73"
WRONG = "#D55E00"
IGNORED = "#8C8C8C"
QUERY = "#0072B2"
"""Frames of a rank grid. Bluish green and vermillion (Okabe and Ito 2008) stay apart for every
common colour blindness; a mark and the dash say the same again without colour."""

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
"""Okabe and Ito's colours, in the order series take them."""

BRANCHES = ("#332288", "#E69F00", "#56B4E9", "#AA4499", "#999933", "#882255", "#88CCEE", "#CC6677")
"""Colours of the branches, in the order of the descriptor (after Tol 2021). None of them is taken
by the frames above."""

WHOLE = "#000000"
"""Colour of the whole descriptor beside its branches."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Second sign beside the colour, so that lines stay apart in grey."""

INCHES: dict[str, float] = {
    "single": 3.35,
    "double": 7.0,
    "cvpr-single": 3.25,
    "cvpr-double": 6.875,
    "ieee-single": 3.48,
    "ieee-double": 7.13,
}
"""Widths of one and two columns of a page: of most journals (85 and 178 mm), CVPR and IEEE.

IEEEtran's columns are 252 and 516 points of TeX wide, a little less than IEEE's own inches.
"""

PAGE = 7.9
"""Inches of a figure that fills a page with its caption: CVPR's text is 8.9 high, IEEE's 9.2."""

LETTER = 0.55
"""Width of a letter in shares of the font's size, about."""

CHINESE = (
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Arial Unicode MS",
)
"""Fonts that hold Chinese signs, TrueType first, which is what PDF embeds best."""


def _installed() -> list[str]:
    """The first font of ``CHINESE`` that this machine has, for what DejaVu Sans lacks."""
    names = {font.name for font in fontManager.ttflist}
    return [name for name in CHINESE if name in names][:1]


def read_style(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Settings of a style file of matplotlib, with an installed Chinese font behind its fonts."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        style: Any = mpl.rc_params_from_file(path, fail_on_error=True, use_default_template=False)
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"cannot read the style file {path}: {error}", "write lines such as font.size: 9"
        ) from error
    for line in (line.partition("#")[0].strip() for line in lines):
        key, colon, _ = line.partition(":")
        if line and not (colon and key.strip() in mpl.rcParams):  # matplotlib only logs it
            nearest = difflib.get_close_matches(key, mpl.rcParams, n=1, cutoff=0)[0]
            raise InputError(
                f"the style file {path} sets {key.strip()!r}, which is no setting of matplotlib",
                f"the nearest is written {nearest}: VALUE",
            )
    if "font.family" in style:
        style["font.family"] = [*style["font.family"], *_installed()]
    return dict(style)


RC: Any = read_style(Path(__file__).with_name("mfa.mplstyle"))
"""Settings of matplotlib, by their names."""


class Picture(Figure):
    """A figure that shows itself in a notebook without pyplot or a magic line."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        scale = 2  # drawn finer than shown, for screens with small pixels
        buffer = io.BytesIO()
        with theme():
            self.savefig(buffer, format="png", dpi=96 * scale, metadata={"Software": None})
        width, height = (round(96 * side) for side in self.get_size_inches())
        return buffer.getvalue(), {"width": width, "height": height}


class Chart(Axes):
    """Axes that show the figure they stand in, so that a chart may end a notebook's cell."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]] | None:
        figure = self.get_figure(root=True)
        return figure._repr_png_() if isinstance(figure, Picture) else None


_DRAWING = threading.RLock()
"""matplotlib's settings belong to the process: one thread at a time may change them."""


_BLOCKS: list[Any] = [RC]
"""Settings of the blocks of ``theme`` that are open, the innermost last."""


@contextmanager
def theme(style: dict[str, Any] | None = None) -> Iterator[None]:
    """The project's matplotlib settings, for as long as the block lasts.

    Another thread that draws waits. Without that, the second of two threads would take the
    first one's settings for the user's, and put them back for good.

    Args:
        style: settings of ``read_style``, laid over the project's here and in blocks within.
    """
    with _DRAWING:
        _BLOCKS.append({**_BLOCKS[-1], **(style or {})})
        try:
            with mpl.rc_context(_BLOCKS[-1]):
                yield
        finally:
            _BLOCKS.pop()


def themed(draw: Callable[P, R]) -> Callable[P, R]:
    """``draw`` run under ``theme``."""

    @functools.wraps(draw)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with theme():
            return draw(*args, **kwargs)

    return wrapped


def inches(width: Width | float) -> float:
    """A figure's width in inches, from the name of a column or a number."""
    if isinstance(width, str):
        if width not in INCHES:
            raise InputError(f"width is {' or '.join(INCHES)} or a number, got {width!r}")
        return INCHES[width]
    if width < 1:
        raise InputError(f"a figure {width} inches wide cannot hold a chart; give 1 or more")
    return float(width)


def wrapped(text: str, inches: float, points: float) -> str:
    """``text`` on as many lines as keep its words within ``inches`` at a size in ``points``."""
    letters = max(1, int(72 * inches / (LETTER * points)))
    lines = [textwrap.wrap(line, letters, break_long_words=False) for line in text.split("\n")]
    return "\n".join(part for line in lines for part in line)


def fitted(inches: float, letters: float = 7.5) -> float:
    """Size in points, 5 to 8, at which so many letters, as of ``+107.37``, take ``inches``."""
    return min(max(72 * inches / (letters * LETTER), 5.0), 8.0)


def figure(width: Width | float = "single", height: float | None = None) -> Picture:
    """An empty figure; ``height`` in inches, by default 0.68 of the width."""
    across = inches(width)
    return Picture(figsize=(across, height or 0.68 * across), layout="constrained")


def axes(ax: Axes | None, width: Width | float = "single", height: float | None = None) -> Axes:
    """``ax`` itself, or the Axes of a new figure."""
    if ax is not None:
        return ax
    created: Axes = figure(width, height).add_subplot(axes_class=Chart)
    return created


def figure_of(ax: Axes) -> Figure:
    """The figure an Axes stands in, e.g. to save a chart."""
    found = ax.get_figure(root=True)
    if found is None:
        raise InputError("these Axes belong to no figure")
    return found


def branch_colours(names: Iterable[str]) -> dict[str, str]:
    """Each branch's colour, the same in every picture: by its place in the descriptor.

    Args:
        names: all branches in the order of the descriptor, those not drawn too.
    """
    return dict(zip(names, itertools.cycle(BRANCHES), strict=False))


def logarithmic(ax: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic axis whose numbers are plain text, without mathematics to be parsed."""
    ax.set(**{f"{which}scale": "log"})
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.4)))


def categories(ax: Axes, names: Sequence[str], axis: Literal["x", "y"] = "x") -> None:
    """Names at 0, 1, 2 ... of an axis, without grid lines; on the y axis from top to bottom."""
    ax.set(**{f"{axis}ticks": range(len(names)), f"{axis}ticklabels": names})
    ax.grid(visible=False, axis=axis)
    if axis == "y":
        ax.invert_yaxis()


def interval(mean: Any, low: Any, high: Any) -> np.ndarray:
    """Both ends of intervals as matplotlib's ``xerr`` and ``yerr``, (2, N)."""
    return np.atleast_2d(np.transpose([mean - low, high - mean])).T


def legend_above(ax: Axes, columns: int, middle: float = 0.45, **look: Any) -> None:
    """The legend above the axes, in so many columns."""
    place = {"loc": "lower center", "bbox_to_anchor": (middle, 1)}
    ax.legend(ncols=columns, **{**place, "borderpad": 0, **look})


def beside(
    ax: Axes, text: str, place: tuple[float, float], *, color: str = "#000000", gap: float = 4
) -> None:
    """A number right of the end of a bar, ``gap`` points away from it."""
    ax.annotate(
        text, place, (gap, 0), textcoords="offset points", va="center", fontsize=6.5, color=color
    )


def require(table: pd.DataFrame, columns: Sequence[str], what: str = "") -> None:
    """A table holds these columns and a row, or there is nothing to draw."""
    name = f"the table of {what} rows" if what else "the table"
    for column in columns:
        if column not in table:
            raise InputError(f"{name} has no column {column!r}, only {list(table)}")
    if table.empty and not what:
        raise InputError(f"{name} has no rows, so there is nothing to draw")
