"""The part of an app where a person tags pictures and keeps views, see ``selection``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import ipywidgets
import pandas as pd
from traitlets import TraitError

from mfa.datasets.image_list import ListedImage
from mfa.datasets.picture_tags import marks_of
from mfa.errors import InputError
from mfa.records import ListPosition
from viz.apps import APPS
from viz.apps.core.address import from_query, to_query, to_text
from viz.apps.core.app import App
from viz.apps.core.code import opening
from viz.apps.core.labels import person
from viz.apps.core.rank_row import small
from viz.apps.core.selection import View
from viz.apps.core.session import Session
from viz.apps.widgets import Cards, Code, Item, Keep

MOST = 48
"""Pictures of a tag that are shown."""

Marks = dict[str, Sequence[ListedImage]]
"""What can be tagged now: pictures by what people call them."""


class Keeper:
    """Tags and views in one app.

    Args:
        app: whose state views hold.
        sessions: of the app; the first one's dataset has the tags.
        marks: what the app shows that can be tagged.
        go: brings the app to a picture.
    """

    def __init__(
        self,
        app: App[Any, Any],
        sessions: Sequence[Session],
        marks: Callable[[], Marks],
        go: Callable[[ListedImage], None],
    ) -> None:
        self.app, self.sessions, self.marks = app, tuple(sessions), marks
        self.session, self.selection = sessions[0], sessions[0].selection
        path = self.selection.path
        self.widget = Keep(folder="" if path is None else path.name)
        self.cards = Cards(clickable=True, height=84)
        self.script = Code(what="tags and views as code")
        self.script.layout.display = "none"
        self.box: Any = ipywidgets.VBox([self.widget, self.cards, self.script])
        self._tag, self._images = "", list[ListedImage]()
        self._say(self.selection.trouble, bad=bool(self.selection.trouble))
        app.on(self.widget, lambda _: self._answer(self.widget.asked), "asks")
        app.on(self.cards, lambda _: self._guarded(lambda: go(self._chosen())), "clicks")
        app.on(self.script, lambda _: self.refresh(), "expanded")
        self.selection.followers.add(self)

    def refresh(self) -> None:
        """Show the tags, the views and what can be tagged as they are now."""
        known, marks = marks_of(self.selection.table()), self.marks()
        having = {
            name: {w for i in images for w in known.get((i.split, int(i.position)), ())}
            for name, images in marks.items()
        }
        counts = self.selection.counts()
        views = [view.name for view in self.selection.views if view.app == self.app.name]
        with self.widget.hold_sync():
            self.widget.marks, self.widget.views = list(marks), views
            self.widget.tags = [
                [word, count, [name for name in marks if word in having[name]]]
                for word, count in counts.items()
            ]
            self.widget.query = to_query(self.app.name, self.app.state)
        self.script.layout.display = "" if counts or views else "none"
        if self.script.expanded:
            self.script.text = self.code()
        self._show()

    def code(self) -> str:
        """Code that makes the table of tags again, and opens each view of this app."""
        function = APPS[self.app.name][1]
        run = "run" if len(self.sessions) == 1 else "runs"
        lines = ""
        for view in self.selection.views:
            if view.app == self.app.name:
                state = from_query(type(self.app.state), view.state)
                given = "".join(f", {name}={value!r}" for name, value in state.items())
                lines += f"viz.{function}({run}{given})  # {view.name}\n"
        return opening(self.sessions) + self.selection.code() + lines

    def _answer(self, asked: Mapping[str, Any]) -> None:
        """Do what the page asks for."""
        words = {name: value for name, value in asked.items() if isinstance(value, str)}
        actions: dict[str, Callable[..., str]] = {
            "tag": self._put,
            "untag": self._take_off,
            "show": self._toggle,
            "keep": self._keep,
            "open": self._open,
            "forget": self._forget,
            "file": self._file,
            "read": self._read,
            "save": self._save,
        }
        action = actions[words.pop("do")]
        self._guarded(lambda: self._say(action(**words)))

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except InputError as error:
            self._say(str(error), bad=True)

    def _say(self, words: str, *, bad: bool = False) -> None:
        with self.widget.hold_sync():
            self.widget.words, self.widget.bad = words, bad

    def _marked(self, of: str) -> Sequence[ListedImage]:
        marks = self.marks()
        if of not in marks:
            raise InputError(f"{of or 'nothing'} is not shown any more", "choose what to tag")
        return marks[of]

    def _put(self, of: str, tag: str) -> str:
        images = self._marked(of)
        self.selection.tag(images, tag)
        return f"{len(images)} tagged." if len(images) > 1 else "Tagged."

    def _take_off(self, of: str, tag: str) -> str:
        self.selection.untag(self._marked(of), tag)
        return f"The tag {tag} is off {of}."

    def _toggle(self, tag: str) -> str:
        """Show the pictures of a tag, or put them away."""
        self._tag = "" if tag == self._tag else tag
        self._show()
        return ""

    def _show(self) -> None:
        """The pictures of the chosen tag as cards."""
        count = self.selection.counts().get(self._tag, 0)
        self._tag = self._tag if count else ""
        if not (count or self.cards.items):
            return
        table = self.selection.table(self._tag).head(MOST)
        self._images = [
            self.session.images(side).at(ListPosition(position))
            for side, position in marks_of(table)
        ]
        items = [
            Item(kind="plain", title=person(i.pid), sub=f"{i.split}, cam {i.camid}", alt=i.name)
            for i in self._images
        ]
        label = f"Pictures with the tag {self._tag}: {count}" if count else ""
        label += f", the first {MOST} shown" if count > MOST else ""
        self.cards.put([small(image) for image in self._images], items, label=label)

    def _chosen(self) -> ListedImage:
        return self._images[self.cards.selected]

    def _keep(self, name: str) -> str:
        self.selection.keep(View(name, self.app.name, to_text(self.app.state)))
        return f"The view {name.strip()} is kept."

    def _open(self, name: str) -> str:
        kept = {view.name: view for view in self.selection.views if view.app == self.app.name}
        if name not in kept:
            raise InputError(f"there is no view {name!r}", "choose one of the list")
        before, kind = self.app.state, type(self.app.state)
        try:
            state = kind(**from_query(kind, kept[name].state))
            self.app.set(**{field.name: getattr(state, field.name) for field in fields(kind)})
        except (InputError, TraitError) as error:
            self.app.set(**{field.name: getattr(before, field.name) for field in fields(kind)})
            raise InputError(
                f"the view {name!r} asks for what this app does not have", "forget it"
            ) from error
        return f"This is the view {name}."

    def _forget(self, name: str) -> str:
        self.selection.forget(self.app.name, name)
        return f"The view {name} is forgotten."

    def _file(self, kind: str) -> str:
        name = f"tags-{self.session.data.name}.{kind}"
        with self.widget.hold_sync():
            self.widget.file = {"name": name, "text": self.selection.text(kind)}
            self.widget.files += 1
        return f"{name} holds {len(self.selection.table())} pictures with tags."

    def _read(self, name: str, text: str) -> str:
        pictures, views = self.selection.read(text.encode(), name)
        return f"{name} is added: {pictures} pictures with tags, {views} views."

    def _save(self) -> str:
        return f"Saved as {self.selection.save()}."


class Keeps:
    """An app with a ``Keeper``."""

    kept: Keeper

    def selection(self, tag: str | None = None) -> pd.DataFrame:
        """The pictures with tags, one row each; only those with ``tag``, where it is given.

        Columns are those of ``mfa.read_tags``.
        """
        return self.kept.selection.table(tag)
