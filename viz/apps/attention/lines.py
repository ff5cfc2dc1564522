"""Lines between matching places, one drawing per branch; a line says its part when touched."""

from __future__ import annotations

from html import escape

from mfa.explain.matches import ENDS, Matches
from viz import theme
from viz.apps.core.html import data_url

WIDE, HIGH, APART = 128, 256, 72
"""Pixels of a picture, and between the two."""

THICKEST = 4.5
"""Pixels of the strongest line of all; 1.5 are added to every line."""


def lines_between(found: Matches, query: bytes, gallery: bytes, k: int) -> str:
    """Both pictures per branch with the ``k`` strongest lines, on one scale."""
    limit = found.lines["part"].max()
    colours, start = theme.branch_colours(found.pairs), WIDE + APART
    pictures = "".join(
        f"<image href='{data_url(data, 'image/jpeg')}' x='{left}' width='{WIDE}' height='{HIGH}' "
        "preserveAspectRatio='none'/>"
        for left, data in ((0, query), (start, gallery))
    )
    drawings = []
    for name, lines in found.strongest(k).items():
        total = f"{lines['part'].sum():+.3f} of {found.pairs[name]:+.3f}"
        drawn = []
        for left, up, right, down, part in lines[ENDS].to_numpy()[::-1]:  # the strongest on top
            ends = (
                f"x1='{left * WIDE:.1f}' y1='{up * HIGH:.1f}' "
                f"x2='{start + right * WIDE:.1f}' y2='{down * HIGH:.1f}'"
            )
            thick = 1.5 + THICKEST * part / limit
            drawn.append(
                f"<g><title>{part:+.4f} of the cosine</title>"
                f"<line {ends} stroke='white' stroke-width='{thick + 1.5:.1f}'/>"
                f"<line {ends} stroke='{colours[name]}' stroke-width='{thick:.1f}'/></g>"
            )
        words = f"{name}: {len(lines)} lines between matching places bring {total}"
        top, bottom = (HIGH * share for share in found.stripes[name])
        stripe = "".join(
            f"<rect x='{left}' y='{top:.1f}' width='{WIDE}' height='{bottom - top:.1f}' "
            "fill='none' stroke='white' stroke-dasharray='6 4'/>"
            for left in (0, start)
        )
        drawings.append(
            f"<figure><svg viewBox='0 0 {start + WIDE} {HIGH}' width='{(start + WIDE) * 5 // 7}' "
            f"role='img' aria-label='{escape(words)}' stroke-linecap='round'>"
            f"{pictures}{stripe}{''.join(drawn)}</svg>"
            f"<figcaption>{escape(name)}<small>{total}</small></figcaption></figure>"
        )
    return f"<div class='mfa-lines'>{''.join(drawings)}</div>"
