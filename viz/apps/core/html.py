"""The words and small drawings of the apps as HTML: they take the page's colours, light or dark."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from viz import theme as looks


def style() -> str:
    """The style sheet all apps share."""
    sheet = (Path(__file__).parent / "apps.css").read_text(encoding="utf-8")
    return f"<style>{sheet}</style>"


def message(words: str, *, error: bool = False) -> str:
    """A sentence, which screen readers read out as it appears."""
    if not words:
        return "<div role='status' class='mfa-message'></div>"
    role, kind = ("alert", "mfa-error") if error else ("status", "mfa-message")
    return f"<div role='{role}' class='{kind}'>{escape(words)}</div>"


def progress(share: float, words: str) -> str:
    """A bar with words; without a share it only says that something happens."""
    value = f"value='{share:.3f}'" if share > 0 else ""
    return (
        f"<label class='mfa-progress'>{escape(words)} … "
        f"<progress max='1' {value}></progress></label>"
    )


def figures(values: Mapping[str, str], changes: Mapping[str, str] | None = None) -> str:
    """Named numbers side by side, each with its change below where given."""
    cells = []
    for name, value in values.items():
        change = (changes or {}).get(name, "")
        small = f"<small>{escape(change)}</small>" if change else ""
        cells.append(f"<div><span>{escape(name)}</span><b>{escape(value)}{small}</b></div>")
    return f"<div class='mfa-figures'>{''.join(cells)}</div>"


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    caption: str = "",
    *,
    prose: bool = False,
) -> str:
    """A plain table; the first cell of each row names it. ``prose``: cells are words."""
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in headings)
    body = "".join(
        f"<tr><th scope='row'>{escape(first)}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    words = f"<caption><span>{escape(caption)}</span></caption>" if caption else ""
    kind = " mfa-prose" if prose else ""
    return (
        f"<div class='mfa-scroll'><table class='mfa-table{kind}'>{words}"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def bars(
    values: Mapping[str, float],
    *,
    limit: float | None = None,
    digits: int = 3,
    before: Mapping[str, float] | None = None,
    signed: bool = True,
) -> str:
    """Bars from a common zero, each with its name and number, in the colours of the branches.

    Args:
        values: name to value; branches in the order of the descriptor.
        limit: the magnitude a bar of full length stands for; the largest one where not given.
        digits: of the numbers.
        before: earlier values, drawn as thin outlines behind.
        signed: zero is in the middle; else at the left, for values that are never below it.
    """
    earlier = dict(before or {})
    top = limit or max((abs(v) for v in [*values.values(), *earlier.values()]), default=0) or 1.0
    zero, sign = (50, "+") if signed else (0, "")
    lines, colours = [], looks.branch_colours(values)
    for name, value in values.items():
        bar = _bar(value / top, f"background:{colours[name]}", zero)
        if name in earlier:
            bar += _bar(earlier[name] / top, "border:1px solid currentColor;opacity:.6", zero)
        lines.append(
            f"<div class='mfa-bar'><span>{escape(name)}</span><span class='mfa-track'>"
            f"<i style='left:{zero}%'></i>{bar}</span><b>{value:{sign}.{digits}f}</b></div>"
        )
    words = ", ".join(f"{name} {value:{sign}.{digits}f}" for name, value in values.items())
    return f"<div class='mfa-bars' role='img' aria-label='{escape(words)}'>{''.join(lines)}</div>"


def staircase(parts: Mapping[str, float]) -> str:
    """One bar of signed parts: each begins where the one before ends; a tick at their sum."""
    ends = [0.0, *itertools.accumulate(parts.values())]
    low, high = min(ends), max(ends)
    places = [100 * (end - low) / ((high - low) or 1) for end in ends]
    colours = dict(zip(parts, STEPS, strict=False))
    steps = "".join(
        f"<em style='left:{min(a, b):.2f}%;width:{abs(b - a):.2f}%;top:{100 * n / len(parts):.1f}%;"
        f"height:{100 / len(parts):.1f}%;background:{colour}'></em>"
        for n, (a, b, colour) in enumerate(zip(places, places[1:], colours.values(), strict=False))
    )
    ticks = "".join(f"<i style='left:{place:.2f}%'></i>" for place in (places[0], places[-1]))
    words = {f"{name} {value:+.3f}": colours[name] for name, value in parts.items()}
    return (
        f"<div class='mfa-track mfa-staircase' role='img' aria-label='{escape(', '.join(words))}'>"
        f"{steps}{ticks}</div>{key(words, 'from')}"
    )


def _bar(share: float, look: str, zero: int) -> str:
    width = (100 - zero) * min(abs(share), 1)
    left = zero if share >= 0 else zero - width
    return f"<em style='left:{left:.2f}%;width:{width:.2f}%;{look}'></em>"


def key(colours: Mapping[str, str], of: str) -> str:
    """What each colour stands for."""
    parts = "".join(
        f"<span><i style='background:{colour}'></i>{escape(name)}</span>"
        for name, colour in colours.items()
    )
    return f"<div class='mfa-key' aria-label='colours'>{escape(of)}: {parts}</div>"


def download(data: bytes, name: str, kind: str, label: str) -> str:
    """A link that saves ``data`` from the page itself, without a file on the server."""
    place = data_url(data, kind)
    return f"<a class='mfa-link' download='{escape(name)}' href='{place}'>{escape(label)}</a>"


def data_url(data: bytes, kind: str) -> str:
    """An address that is the file itself."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


STEPS = ("#888888", "#bbbbbb", looks.PALETTE[3])
"""Colours of a staircase: two that say little, then what is asked for; none is a frame's."""

LINES = tuple(looks.PALETTE[place] for place in (5, 0, 2, 3))
"""Colours of lines that are no branches."""


def curves(
    lines: Mapping[str, Sequence[float]],
    across: str,
    up: str,
    *,
    first: int = 1,
    labels: Sequence[str] = (),
    low: float = 0.0,
    steps: bool = False,
    marks: str = "",
    branches: bool = False,
) -> str:
    """A small line chart of values up to 1, as a drawing that takes the page's colours.

    Args:
        lines: name to values.
        across: what the horizontal axis is.
        up: what the vertical axis is.
        first: number of the first place across.
        labels: what stands below, evenly from left to right, instead of the numbers of places.
        low: value at the lower end of the vertical axis.
        steps: values hold until the next one, instead of being joined by slopes.
        marks: further SVG inside the plot, in a box of 300 x 120.
        branches: the lines are the branches, in the order of the descriptor.
    """
    count = max((len(values) for values in lines.values()), default=1)
    step = 300 / max(count - 1, 1)
    parts, legend = [], []
    for number, (name, values) in enumerate(lines.items()):
        colour = (looks.BRANCHES if branches else LINES)[number % 4]
        dash = "stroke-dasharray='6 4'" if number == 0 and len(lines) > 1 else ""
        places = [(step * i, _height(v, low)) for i, v in enumerate(values)]
        if steps:
            corners = ((x, y) for (_, y), (x, _) in itertools.pairwise(places))
            places = [places[0], *itertools.chain(*zip(corners, places[1:], strict=True))]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(
            f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='2' {dash}/>"
        )
        legend.append(
            f"<span><svg width='24' height='8'><line x2='24' y1='4' y2='4' stroke='{colour}' "
            f"stroke-width='2' {dash}/></svg> {escape(name)}</span>"
        )
    key_of_lines = f"<div class='mfa-key'>{''.join(legend)}</div>" if len(lines) > 1 else ""
    words = f"{up} over {across}: " + "; ".join(
        f"{name} from {values[0]:.3f} to {values[-1]:.3f}" for name, values in lines.items()
    )
    return (
        f"<div class='mfa-note'>{escape(up)}</div>{key_of_lines}"
        f"<svg class='mfa-svg' viewBox='-34 -8 350 160' width='350' role='img' "
        f"aria-label='{escape(words)}' fill='currentColor' font-size='11'>"
        "<rect width='300' height='120' fill='none' stroke='currentColor' opacity='0.4'/>"
        f"{_ticks(low, first, count, labels)}{''.join(parts)}{marks}"
        f"<text x='150' y='148' text-anchor='middle'>{escape(across)}</text>"
        f"<title>{escape(up)}</title></svg>"
    )


def _height(value: float, low: float) -> float:
    """From the top of a plot 120 high whose axis goes from ``low`` to 1."""
    return 120 * (1 - (value - low) / (1 - low))


def _ticks(low: float, first: int, count: int, labels: Sequence[str]) -> str:
    """Faint lines across with their values, and numbers or ``labels`` below."""
    parts = []
    for number in range(5):
        value = low + (1 - low) * number / 4
        y = _height(value, low)
        parts.append(
            f"<line x1='0' x2='300' y1='{y:.1f}' y2='{y:.1f}' stroke='currentColor' "
            f"opacity='0.15'/><text x='-6' y='{y + 4:.1f}' text-anchor='end'>{value:.2f}</text>"
        )
    places = range(count) if count <= 6 else [round((count - 1) * n / 4) for n in range(5)]
    below = {place / max(count - 1, 1): f"{first + place}" for place in places}
    if labels:
        below = {n / (len(labels) - 1): label for n, label in enumerate(labels)}
    for share, label in below.items():
        x = 300 * share
        parts.append(
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='120' y2='124' stroke='currentColor'/>"
            f"<text x='{x:.1f}' y='135' text-anchor='middle'>{escape(label)}</text>"
        )
    return "".join(parts)
