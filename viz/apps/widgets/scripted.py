"""The few widgets that ipywidgets does not have: each a class here, with a script of its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import anywidget
from traitlets import Bool, Bytes, CBytes, Dict, Enum, Float, Int, List, Unicode


class Scripted(anywidget.AnyWidget):
    """A widget with the script and the style sheet beside this file that have its name.

    They are read as text: anywidget keeps every widget whose script is a file for good, in order to
    tell it when the file changes.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        for trait, kind in (("_esm", "js"), ("_css", "css")):
            file = Path(__file__).with_name(f"{cls.__name__.lower()}.{kind}")
            if file.is_file() and not hasattr(cls, trait):  # traitlets makes further classes
                setattr(cls, trait, file.read_text(encoding="utf-8"))
        super().__init_subclass__(**options)


class Address(Scripted):
    """The address of the page, without a look: Back, Reload and a link bring a state again.

    Attributes:
        query: what stands behind the question mark; the kernel writes it.
        asked: what the visitor went to by Back or Forward.
        visits: counts these.
    """

    query = Unicode("").tag(sync=True)
    asked = Unicode("").tag(sync=True)
    visits = Int(0).tag(sync=True)


class Code(Scripted):
    """A button that opens a listing, and one that copies it.

    Attributes:
        what: what the listing is, for the button.
        expanded: whether the listing is shown.
        text: the listing.
    """

    what = Unicode("code").tag(sync=True)
    expanded = Bool(False).tag(sync=True)
    text = Unicode("").tag(sync=True)


class Keep(Scripted):
    """Tags of pictures and named views: made, shown, and taken away; files out and in.

    Attributes:
        marks: names of what can be tagged now.
        tags: for each tag its word, its number of pictures, and the ``marks`` that have it.
        views: names of the views of this app.
        query: the app and its state behind the question mark of an address.
        folder: name of the file beside the run; empty where there is no run folder.
        words: what happened last.
        bad: whether that is an error.
        file: ``name`` and ``text`` of a file that the page is to save.
        files: counts these.
        asked: what the page asks for: ``do`` and what it is done with.
        asks: counts these.
    """

    marks = List(Unicode()).tag(sync=True)
    tags: Any = List(List()).tag(sync=True)
    views = List(Unicode()).tag(sync=True)
    query = Unicode("").tag(sync=True)
    folder = Unicode("").tag(sync=True)
    words = Unicode("").tag(sync=True)
    bad = Bool(False).tag(sync=True)
    file: Any = Dict().tag(sync=True)
    files = Int(0).tag(sync=True)
    asked: Any = Dict().tag(sync=True)
    asks = Int(0).tag(sync=True)


class Upload(Scripted):
    """A button that takes a picture file, which the browser makes smaller before it is sent.

    Attributes:
        label, tip: words on the button, and its tooltip.
        side: pixels of the longer side of what is sent.
        name: of the file chosen last.
        content: of it as JPEG; empty where the browser could not read it.
        chosen: counts choices, so that the same file again is seen.
    """

    label = Unicode("Use your own picture").tag(sync=True)
    tip = Unicode("Your browser makes it smaller; it stays in memory and is not kept").tag(
        sync=True
    )
    side = Int(1024).tag(sync=True)
    name = Unicode("").tag(sync=True)
    content = CBytes(b"").tag(sync=True)
    chosen = Int(0).tag(sync=True)

    def take(self) -> bytes:
        """What was sent, which is not kept here."""
        content = bytes(self.content)
        self.content = b""
        return content


class Picture(Scripted):
    """A picture that tells where it was touched; places are shares of its width and height.

    With the keyboard: arrow keys move a cross, Enter or the space bar touches there.

    Attributes:
        image: JPEG or PNG.
        label: what it shows.
        mode: ``view``, ``point`` or ``brush``.
        point: (x, y) of the point chosen last; empty before.
        points: counts choices of a point, so that the same one again is seen.
        radius: of the brush, in shares of the width.
        stroke: (x, y) pairs of the stroke painted last.
        strokes: counts strokes.
        height: in pixels of the page; 0 for the picture's own.
    """

    image = Bytes(b"").tag(sync=True)
    label = Unicode("").tag(sync=True)
    mode = Enum(["view", "point", "brush"], "view").tag(sync=True)
    point: Any = List(Float()).tag(sync=True)
    points = Int(0).tag(sync=True)
    radius = Float(0.12).tag(sync=True)
    stroke: Any = List(List(Float())).tag(sync=True)
    strokes = Int(0).tag(sync=True)
    height = Int(256).tag(sync=True)


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


class Cards(Scripted):
    """Pictures with captions that wrap like words and can be clicked.

    A match has a tick, a wrong one a cross and a dashed frame.

    Attributes:
        label: what the cards are, above them and for screen readers.
        images: JPEG or PNG, one per card.
        items: see ``Item``.
        clickable: whether cards are buttons.
        selected: the card clicked last, or marked by the app; -1 for none.
        clicks: counts clicks, so that a second click on one card is seen too.
        height: of a picture, in pixels of the page.
        aspect: width of a picture by its height.
        columns: cards in a row; 0 for as many as there is room for.
    """

    label = Unicode("").tag(sync=True)
    images = List(Bytes()).tag(sync=True)
    items: Any = List(Dict()).tag(sync=True)
    clickable = Bool(False).tag(sync=True)
    selected = Int(-1).tag(sync=True)
    clicks = Int(0).tag(sync=True)
    height = Int(128).tag(sync=True)
    aspect = Float(0.5).tag(sync=True)
    columns = Int(0).tag(sync=True)
    version = Int(0).tag(sync=True)

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


class Table(Scripted):
    """Rows of words and numbers, some of which can be pressed; the first cell names its row.

    Attributes:
        caption: what the table is of.
        headings: of the columns.
        rows: words, as many per row as there are headings.
        active: columns whose cells are buttons, except where they are empty or 0.
        prose: whether cells are words rather than numbers.
        cell: (row, column) of the cell pressed last; empty before.
        clicks: counts presses, so that a second one on one cell is seen too.
    """

    caption = Unicode("").tag(sync=True)
    headings = List(Unicode()).tag(sync=True)
    rows: Any = List(List(Unicode())).tag(sync=True)
    active = List(Int()).tag(sync=True)
    prose = Bool(False).tag(sync=True)
    cell = List(Int()).tag(sync=True)
    clicks = Int(0).tag(sync=True)
    version = Int(0).tag(sync=True)

    def put(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        caption: str = "",
        active: Sequence[int] = (),
    ) -> None:
        """Replace everything in one message to the page."""
        same = (list(headings), [list(row) for row in rows], caption, list(active))
        if same == (self.headings, self.rows, self.caption, self.active):
            return
        with self.hold_sync():
            self.headings, self.rows, self.caption, self.active = same
            self.version += 1
