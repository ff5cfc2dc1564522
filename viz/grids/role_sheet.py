"""A query and its gallery by role: what is to be found, what is left out, what misleads."""

from __future__ import annotations

from mfa.datasets.readers.roles import ROLES, gallery_roles
from mfa.records import NO_CAMERA, ReidDataset, Sample
from viz import theme
from viz.images.sheet import put, sheet, write

FONT = 6.5
LINE = 0.13
"""Height of a line of words, inches."""


@theme.themed
def role_sheet(
    dataset: ReidDataset,
    query: int = 0,
    *,
    count: int = 8,
    width: theme.Width | float = "double",
    hide_face: bool = False,
) -> theme.Picture:
    """One query, and for each role some gallery pictures that have it; grey is left out.

    Args:
        dataset: with a query list and a gallery.
        query: position in the query list.
        count: pictures of each role, spread over the gallery.
        width: ``single``, ``double`` or inches.
        hide_face: coarsen the top of every picture, where the head is.

    Raises:
        InputError: no such query.
    """
    found = gallery_roles(dataset, query)
    across, left = theme.inches(width), 0.1
    step = (across - left) / (count + 1.4)
    row = 2 * step + 3 * LINE
    shown = {role: samples for role, samples in found.items() if samples}
    figure, canvas = sheet(across, row * len(shown))
    middle = LINE * 1.4
    first = dataset.query[query]
    box = (left, middle, step - 0.02, 2 * step - 0.02)
    put(canvas, first.path, box, hide_face=hide_face).set_gid("picture/query/0")
    write(canvas, (left, 0.01), "query", FONT)
    write(canvas, (left, middle + 2 * step), _words(first), FONT)
    for number, (role, samples) in enumerate(shown.items()):
        top = number * row
        faded = role in ("own camera", "junk")
        start = left + 1.4 * step
        text = f"{len(samples):,} in the gallery: {ROLES[role]}"
        write(canvas, (start, top + 0.01), text, FONT)
        for place, sample in enumerate(_spread(samples, count)):
            edge = start + place * step
            box = (edge, top + LINE * 1.4, step - 0.02, 2 * step - 0.02)
            image = put(canvas, sample.path, box, faded=faded, hide_face=hide_face)
            image.set_gid(f"picture/{role}/{place}")
            below = top + LINE * 1.4 + 2 * step
            write(canvas, (edge, below), _words(sample), FONT, color="#555555")
    return figure


def _spread(samples: tuple[Sample, ...], count: int) -> list[Sample]:
    """At most ``count`` samples at even distances, the first one always."""
    chosen = min(count, len(samples))
    return [samples[place * len(samples) // chosen] for place in range(chosen)]


def _words(sample: Sample) -> str:
    camera = "" if sample.camid == NO_CAMERA else f"cam {sample.camid}"
    return f"{sample.pid}, {camera}" if sample.pid > 0 and camera else camera or f"{sample.pid}"
