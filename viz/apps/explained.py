"""Why two pictures are as close as they are, as cards and bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from viz.apps import markup
from viz.apps.images import laid_over
from viz.apps.subject import Subject
from viz.apps.widgets import Item
from viz.cam.record import shared_limit
from viz.explain import side_maps
from viz.ledger import PairLedger


@dataclass(frozen=True)
class Explained:
    """A ledger drawn for the page.

    Attributes:
        ledger: the numbers.
        images, items: cards, the query's maps first, then the other picture's.
        bars: the branches' shares of the cosine.
    """

    ledger: PairLedger
    images: list[bytes]
    items: list[Item]
    bars: str


def explain(
    subject: Subject,
    query: tuple[np.ndarray, np.ndarray],
    other: tuple[np.ndarray, np.ndarray],
) -> Explained:
    """The ledger of two pictures, each given as (network's pixels, pixels to draw on)."""
    ledger = subject.ledger(query[0], other[0])
    sides = {"query": query[1], "gallery": other[1]}
    maps = {side: side_maps(ledger, side) for side in sides}
    limit = shared_limit([heat for found in maps.values() for heat in found.values()])
    stripes: dict[str, Any] = subject.run.model.stripes
    images, items = [], []
    for side, picture in sides.items():
        for name, heat in maps[side].items():
            images.append(laid_over(picture, heat, limit, stripe=stripes.get(name)))
            words = f"{name} map of the {side} picture, {heat.sum():+.3f} of the cosine"
            part = f"{side} {heat.sum():+.3f}"
            items.append(Item(kind="plain", title=name, sub=part, alt=words))
    return Explained(ledger, images, items, _bars(ledger))


def _bars(ledger: PairLedger) -> str:
    shares = {name: part.share for name, part in ledger.branches.items()}
    query_pixels = sum(float(part.query_map.sum()) for part in ledger.branches.values())
    return (
        f"<div>cosine {ledger.score:.3f} = sum of the branches' shares:</div>"
        + markup.bars(shares)
        + f"<div class='mfa-note'>The query's pixels bring {query_pixels:+.3f}, the average "
        f"picture {ledger.bias:+.3f}. Red in a map raises the cosine, blue lowers it; all maps "
        "share one scale.</div>"
    )
