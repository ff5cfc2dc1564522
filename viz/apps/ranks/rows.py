"""What the ranks app shows of one model: a row of cards for a query, or for a visitor's picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mfa.records import NO_CAMERA
from mfa.retrieval.nearest import nearest
from mfa.retrieval.results import RetrievalResult
from viz.apps.core.images import THUMB, jpeg, thumbnail
from viz.apps.core.labels import person
from viz.apps.core.search import position_of
from viz.apps.core.session import Subject
from viz.apps.core.upload import uploaded
from viz.apps.widgets import Item
from viz.grids import rank_cards

if TYPE_CHECKING:
    from viz.apps.ranks.app import RanksState


class CardRow(NamedTuple):
    """Pictures and captions, the query first.

    Attributes:
        images, items: of the cards.
        places: positions in the gallery list, -1 for the query.
        label: model, query and score.
    """

    images: list[bytes]
    items: list[Item]
    places: list[int]
    label: str


def ranked(subject: Subject, result: RetrievalResult, state: RanksState, query: int) -> CardRow:
    """A query of the dataset, as it was scored."""
    row = rank_cards.row(result, subject.data, query, state.k, state.junk)
    made = CardRow([], [], [], f"{subject.name}: {row.name} · {row.score}")
    for card in (row.query, *row.cards):
        title, sub = card.caption()
        alt = f"{card.kind} picture {card.path.name}"
        made.images.append(thumbnail(card.path))
        made.items.append(Item(kind=card.kind, title=title, sub=sub, alt=alt))
        place = -1 if card.kind == "query" else position_of(subject.data.gallery, card.path)
        made.places.append(place)
    return made


def asked(subject: Subject, result: RetrievalResult, state: RanksState) -> CardRow:
    """A picture of the visitor's: the nearest ones, and nobody says who is right."""
    assert result.features is not None
    picture = uploaded(state.upload, subject.size)
    found = nearest(result.features.gallery, subject.embed(picture, flip=state.flip), state.k)
    own = Item(kind="query", title="your picture", sub="", alt="the picture you gave")
    words = "nearest to your picture (no re-ranking; nobody says who is right)"
    small = jpeg(uploaded(state.upload, (THUMB[1], THUMB[0])))
    made = CardRow([small], [own], [-1], f"{subject.name}: {words}")
    allowed = subject.gallery_positions(state.camera)
    for entry in found.to_dict("records"):
        path = subject.gallery_path(int(allowed[entry["gallery"]]))
        camera = "" if entry["camid"] == NO_CAMERA else f" · cam {entry['camid']}"
        title = f"{entry['rank']} · {person(entry['pid'])}{camera}"
        alt = f"gallery picture {path.name}"
        made.images.append(thumbnail(path))
        made.items.append(Item(kind="plain", title=title, sub=f"{entry['distance']:.3f}", alt=alt))
        made.places.append(position_of(subject.data.gallery, path))
    return made
