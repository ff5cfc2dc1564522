"""Pictures with captions that wrap like words and can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

import anywidget
import traitlets

from viz.apps.widgets.assets import text


class Item(TypedDict):
    """One card.

    Keys:
        kind: ``query``, ``match``, ``wrong``, ``ignored`` or ``plain``; decides the frame.
        title, sub: two short lines below the picture.
        alt: what the picture shows, for those who do not see it.
        still: the card is no button, also where the others are.
    """

    kind: str
    title: str
    sub: str
    alt: str
    still: NotRequired[bool]


class Cards(anywidget.AnyWidget):
    """Cards side by side; a match has a tick, a wrong one a cross and a dashed frame.

    Attributes:
        label: what the cards are, above them and for screen readers.
        images: JPEG or PNG, one per card.
        items: see ``Item``.
        clickable: whether cards are buttons.
        selected: the card clicked last, or marked by the app; -1 for none.
        clicks: counts clicks, so that a second click on one card is seen too.
        height: of a picture, in pixels of the page.
        columns: cards in a row; 0 for as many as there is room for.
    """

    _esm = text("cards.js")
    _css = text("cards.css")
    label = traitlets.Unicode("").tag(sync=True)
    images = traitlets.List(traitlets.Bytes()).tag(sync=True)
    items: Any = traitlets.List(traitlets.Dict()).tag(sync=True)
    clickable = traitlets.Bool(False).tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)
    clicks = traitlets.Int(0).tag(sync=True)
    height = traitlets.Int(128).tag(sync=True)
    columns = traitlets.Int(0).tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def put(
        self,
        images: Sequence[bytes],
        items: Sequence[Item],
        *,
        selected: int = -1,
        label: str | None = None,
        columns: int = 0,
    ) -> None:
        """Replace all cards in one message to the page."""
        with self.hold_sync():
            self.images = list(images)
            self.items = [dict(item) for item in items]
            self.selected, self.columns = selected, columns
            if label is not None:
                self.label = label
            self.version += 1
