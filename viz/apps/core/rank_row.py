"""A query and what was found for it, as a row of cards: one for all apps."""

from __future__ import annotations

from typing import Any, NamedTuple

from mfa.datasets.image_list import ListedImage
from mfa.errors import InputError
from mfa.records import NO_CAMERA, FeatureRow, FeatureSet
from mfa.retrieval.nearest import nearest
from mfa.retrieval.results import RetrievalResult
from viz.apps.core.images import SMALL, Image, jpeg, thumbnail
from viz.apps.core.labels import person
from viz.apps.core.session import Session
from viz.apps.widgets import Item
from viz.grids.rank_cards import score_words

MOST = 50
"""Most ranks shown."""


class RankRow(NamedTuple):
    """Pictures and captions, the query first.

    Attributes:
        images, items: of the cards.
        found: the gallery picture of each card; ``None`` for the query.
        label: query and score.
    """

    images: list[bytes]
    items: list[Item]
    found: list[ListedImage | None]
    label: str

    def place(self, position: int) -> int:
        """Where a picture of the gallery list stands; -1 where it does not."""
        positions = [-1 if image is None else int(image.position) for image in self.found]
        return positions.index(position) if position in positions else -1

    def unmarked(self) -> RankRow:
        """The same cards without saying who is right, for a class that guesses first."""
        items = [
            item if item["kind"] == "query" else Item(**{**item, "kind": "plain", "alt": "found"})
            for item in self.items
        ]
        return self._replace(items=items, label=self.label.partition(" · ")[0])

    def add(self, image: Image, item: Item) -> None:
        """One more card."""
        self.images.append(small(image))
        self.items.append(item)
        self.found.append(image if isinstance(image, ListedImage) and self.found else None)


def small(image: Image) -> bytes:
    """A picture as cards show it, as JPEG."""
    if isinstance(image, ListedImage):
        return thumbnail(image.path)
    return jpeg(image.pixels(*SMALL))


def ranked(
    session: Session,
    result: RetrievalResult,
    query: ListedImage,
    k: int,
    *,
    ignored: bool = False,
    row: int | None = None,
    picture: Image | None = None,
) -> RankRow:
    """The first ranks of a query of the dataset, as they were scored.

    Args:
        session: whose dataset it is.
        result: scored.
        query: the picture.
        k: ranks shown.
        ignored: also show pictures that were not counted, where they fall.
        row: of the query in ``result``, where that is another one than in the dataset's features.
        picture: shown as the query instead of it, where it was edited.
    """
    _check(k)
    place = query.row if row is None else row
    if place is None:
        raise InputError(f"{query.name} cannot be read, so it has no ranks", "choose another query")
    record = result.per_query.iloc[place]
    features = result.features
    assert features is not None
    gallery = session.images("gallery", features.gallery)
    made = RankRow([], [], [], f"{query.name} · {score_words(record)}")
    alt = f"query picture {query.name}"
    made.add(
        picture or query,
        Item(kind="query", title="query", sub=_camera(query.camid), alt=alt, still=True),
    )
    for entry in result.ranking(place, k=k, include_ignored=ignored).head(k).to_dict("records"):
        kind = ("match" if entry["match"] else "wrong") if entry["valid"] else "ignored"
        made.add(gallery.at_row(FeatureRow(entry["gallery"])), _item(entry, kind))
    return made


def nearest_row(
    session: Session, own: Image, k: int, gallery: FeatureSet, *, flip: bool = False
) -> RankRow:
    """A picture of the visitor's and the nearest ones; nobody says who is right."""
    _check(k)
    found = nearest(gallery, session.embed(own, flip=flip), k)
    made = RankRow([], [], [], "nearest to your picture (nobody says who is right)")
    made.add(own, Item(kind="query", title="your picture", sub="", alt="your picture", still=True))
    images = session.images("gallery", gallery)
    for entry in found.to_dict("records"):
        item = _item(entry, "plain")
        item["sub"] = f"{person(entry['pid'])} · {item['sub']}"
        made.add(images.at_row(FeatureRow(entry["gallery"])), item)
    return made


def _check(k: int) -> None:
    if not 1 <= k <= MOST:
        raise InputError(f"between 1 and {MOST} ranks can be shown, got {k}")


def _item(entry: dict[Any, Any], kind: str) -> Item:
    place = "–" if kind == "ignored" else f"{entry['rank']}"
    camera = _camera(int(entry["camid"]))
    title = f"{place} · {camera}" if camera else place
    return Item(
        kind=kind,
        title=title,
        sub=f"{entry['distance']:.3f}",
        alt=f"{kind} picture {entry['name']}",
    )


def _camera(camid: int) -> str:
    return "" if camid == NO_CAMERA else f"cam {camid}"
