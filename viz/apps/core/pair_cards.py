"""Why two pictures are as close as they are, as cards and bars."""

from __future__ import annotations

from dataclasses import dataclass

from mfa.explain.ledger import Side
from mfa.explain.origins import Origins
from mfa.explain.record import BranchMaps, shared_limit
from viz.apps.core import html
from viz.apps.core.code import read_code
from viz.apps.core.images import SHOWN, Image, laid_over
from viz.apps.core.session import Session
from viz.apps.widgets import Cards, Item

NO_LEDGER = (
    "The cosine of this network is no sum over pixels. Its maps say where the cosine comes from, "
    "but their numbers do not add up to it."
)


@dataclass(frozen=True)
class Explained:
    """An explanation drawn for the page.

    Attributes:
        images, items: cards, the query's maps first, then the other picture's.
        bars: the branches' shares of the cosine, and how much of it is about these two.
    """

    images: list[bytes]
    items: list[Item]
    bars: str


def explain(session: Session, query: Image, other: Image) -> Explained:
    """The ledger of two pictures.

    A network without a ledger gets each branch's share of the cosine, and maps that say where it
    comes from but do not add up to it.
    """
    sides: dict[Side, Image] = {"query": query, "gallery": other}
    exact = session.adds_up
    if exact:
        ledger = session.ledger(query, other)
        maps = {side: ledger.maps(side) for side in sides}
        grids = {side: ledger.grids(side) for side in sides}
        stripes = ledger.stripes
        shares = {name: part.share for name, part in ledger.branches.items()}
        origins, note = ledger.origins, ""
    else:
        pairs: dict[Side, BranchMaps]
        pairs = {
            "query": session.maps(query, toward=session.fitted(other)),
            "gallery": session.maps(other, toward=session.fitted(query)),
        }
        maps = {side: {n: of.raw[n][0] for n in of} for side, of in pairs.items()}
        grids = {side: of.grids for side, of in pairs.items()}
        stripes = pairs["query"].stripes
        shares, note = session.shares(query, other), NO_LEDGER
        origins = session.origins(query, other)
    sentence = str(origins)
    limit = shared_limit([heat for of in maps.values() for heat in of.values()])
    images, items = [], []
    for side, image in sides.items():
        for name, heat in maps[side].items():
            picture, stripe = image.pixels(*SHOWN), stripes.get(name)
            images.append(laid_over(picture, heat, limit, grid=grids[side][name], stripe=stripe))
            number = f" {heat.sum():+.3f}" if exact else ""
            words = f"{name} map of the {side} picture{number}"
            items.append(Item(kind="plain", title=name, sub=side + number, alt=words))
    return Explained(images, items, _bars(shares, origins, sentence, note))


def put_explained(cards: Cards, found: Explained | None, label: str) -> None:
    """Show an explanation, one row per picture; nothing, not even a heading, for none."""
    images, items = (found.images, found.items) if found else ([], [])
    cards.put(images, items, label=label if found else "", columns=len(items) // 2)


def explain_code(session: Session, query: str, gallery: str) -> str:
    """Code that draws the explanation of ``run`` and two positions."""
    if session.adds_up:
        return (
            f"print(mfa.rank_ledgers(run, {query}, [{gallery}], data=data).ledgers[0].origins)\n"
            f"viz.draw_pair(run, {query}, {gallery}, data=data)\n"
        )
    return (
        read_code([session], "one", f"data.query[{query}]")
        + read_code([session], "other", f"data.gallery[{gallery}]")
        + "average = mfa.reference_pictures(run, data)\n"
        "maps = mfa.branch_maps(run, one, toward=other, reference=average)\n"
        "viz.draw_maps(maps, one)\n"
    )


def _bars(shares: dict[str, float], origins: Origins, sentence: str, note: str) -> str:
    parts = {
        "two average pictures": origins.average,
        "one of these with the average": origins.mixed,
        "these two alone": origins.pair,
    }
    return (
        f"<div>cosine {sum(shares.values()):.3f} = sum of the branches' shares:</div>"
        + html.bars(shares)
        + f"<div>{sentence}</div>"
        + html.staircase(parts)
        + f"<div class='mfa-note'>{note} Red in a map raises the cosine, blue lowers it; all maps "
        "share one scale.</div>"
    )
