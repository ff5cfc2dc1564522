"""Why two pictures are as close as they are, as cards and bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mfa.explain.ledger import PairLedger
from mfa.explain.record import shared_limit
from viz.apps.core import html
from viz.apps.core.images import laid_over
from viz.apps.core.session import Subject
from viz.apps.widgets import Item
from viz.grids.ledger import side_maps

NO_LEDGER = (
    "This network's cosine is no sum over pixels: its maps say where it comes from, and do not add "
    "up to it."
)


@dataclass(frozen=True)
class Explained:
    """A ledger drawn for the page.

    Attributes:
        images, items: cards, the query's maps first, then the other picture's.
        bars: the branches' shares of the cosine.
    """

    images: list[bytes]
    items: list[Item]
    bars: str


def explain(
    subject: Subject,
    query: tuple[np.ndarray, np.ndarray],
    other: tuple[np.ndarray, np.ndarray],
) -> Explained:
    """The ledger of two pictures, each given as (network's pixels, pixels to draw on).

    Where a network has none, each branch's share of the cosine, and maps that say where it comes
    from but do not add up to it.
    """
    sides = {"query": query[1], "gallery": other[1]}
    exact = subject.adds_up
    if exact:
        ledger = subject.ledger(query[0], other[0])
        maps = {side: side_maps(ledger, side) for side in sides}
    else:
        pairs = {"query": (query[0], other[0]), "gallery": (other[0], query[0])}
        found = {side: subject.maps(one, toward=two) for side, (one, two) in pairs.items()}
        maps = {
            side: {name: heat[0] for name, heat in of.raw.items()} for side, of in found.items()
        }
    limit = shared_limit([heat for of in maps.values() for heat in of.values()])
    stripes: dict[str, Any] = subject.run.model.stripes
    images, items = [], []
    for side, picture in sides.items():
        for name, heat in maps[side].items():
            images.append(laid_over(picture, heat, limit, stripe=stripes.get(name)))
            brings = f"{heat.sum():+.3f}"
            part = f"{side} {brings}" if exact else side
            words = (
                f"{name} map of the {side} picture{f', {brings} of the cosine' if exact else ''}"
            )
            items.append(Item(kind="plain", title=name, sub=part, alt=words))
    return Explained(
        images, items, _bars(ledger) if exact else _shares(subject.shares(query[0], other[0]))
    )


def code_of(subject: Subject, query: str, gallery: str) -> str:
    """Code that draws the explanation as ``explained``, of ``run`` and two positions."""
    if subject.adds_up:
        return f"explained = viz.draw_pair(run, {query}, {gallery}, data=data)\n"
    return (
        "from mfa.datasets.loading.decode import decode\n"
        "size = run.config.data.height, run.config.data.width\n"
        f"one, other = decode(data.query[{query}].path, *size), "
        f"decode(data.gallery[{gallery}].path, *size)\n"
        "reference = mfa.reference_pictures(run, data)\n"
        "explained = viz.draw_maps(\n"
        "    mfa.branch_maps(run, one, toward=other, reference=reference), one\n)\n"
    )


def _bars(ledger: PairLedger) -> str:
    shares = {name: part.share for name, part in ledger.branches.items()}
    query_pixels = sum(float(part.query_map.sum()) for part in ledger.branches.values())
    return _shares(
        shares,
        f"The query's pixels bring {query_pixels:+.3f}, the average picture {ledger.bias:+.3f}.",
    )


def _shares(shares: dict[str, float], note: str = NO_LEDGER) -> str:
    return (
        f"<div>cosine {sum(shares.values()):.3f} = sum of the branches' shares:</div>"
        + html.bars(shares)
        + f"<div class='mfa-note'>{note} Red in a map raises the cosine, blue lowers it; all maps "
        "share one scale.</div>"
    )
