"""What a person kept of a dataset: tags of pictures, and views under a name.

All apps of a session share one ``Selection``: a picture tagged in one app is tagged in the others.
It is a table, a CSV or JSON file, and code; nothing is written to the disk unless asked for.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pandas as pd

from mfa.datasets.image_list import ListedImage
from mfa.datasets.picture_tags import (
    Marks,
    checked,
    clean_word,
    marks_of,
    parse,
    table_of,
    to_csv,
    to_json,
)
from mfa.errors import InputError
from mfa.files import write_atomically
from mfa.records import ReidDataset

MOST = 100
"""Most views that are kept."""


@dataclass(frozen=True)
class View:
    """A state under a name.

    Attributes:
        name: what the person called it.
        app: of the web page, such as ``ranks``.
        state: fields that differ from their defaults, see ``viz.apps.core.address.to_text``.
    """

    name: str
    app: str
    state: Mapping[str, str]


_Views = dict[tuple[str, str], View]
"""By app and name."""


class Selection:
    """Tags and views of one dataset; several apps and threads may share it.

    Args:
        data: the dataset.
        folder: of the run, where a file may lie beside it; ``None`` where there is none.

    Attributes:
        path: of that file; ``None`` without a folder.
        trouble: why the file beside the run was not read; empty where it was, or where none is.
        followers: whose ``refresh`` is called after a change.
    """

    def __init__(self, data: ReidDataset, folder: Path | None = None) -> None:
        self.data = data
        self.path = None if folder is None else folder / f"tags-{data.fingerprint[:12]}.json"
        self.trouble = ""
        self.followers: WeakSet[Any] = WeakSet()
        self._marks: Marks = {}
        self._views: _Views = {}
        self._changing = threading.RLock()
        self._beside = self._on_disk()
        if self._beside is not None and self.path is not None:
            try:
                self.read(self._beside, self.path.name)
            except InputError as error:
                self.trouble = str(error)

    def tag(self, images: Iterable[ListedImage], word: str) -> None:
        """Give pictures a tag."""
        word = clean_word(word)
        with self._changing:
            places = [(image.split, int(image.position)) for image in images]
            new = {place: (*self._marks.get(place, ()), word) for place in places}
            self._marks = checked(self._marks | new)
        self._changed()

    def untag(self, images: Iterable[ListedImage], word: str) -> None:
        """Take a tag off pictures; those without it stay as they are."""
        with self._changing:
            places = {(image.split, int(image.position)) for image in images}
            self._marks = checked(
                {
                    place: tuple(w for w in words if not (w == word and place in places))
                    for place, words in self._marks.items()
                }
            )
        self._changed()

    def keep(self, view: View) -> None:
        """Keep a view; one of the same app and name is replaced."""
        with self._changing:
            self._views = _joined(self._views, [view])
        self._changed()

    def forget(self, app: str, name: str) -> None:
        """Let a view go."""
        with self._changing:
            self._views.pop((app, name), None)
        self._changed()

    @property
    def views(self) -> list[View]:
        """All views, in the order they were kept."""
        return list(self._views.values())

    def counts(self) -> dict[str, int]:
        """Every tag and on how many pictures it is, in alphabetical order."""
        return dict(sorted(Counter(w for words in self._marks.values() for w in words).items()))

    def table(self, tag: str | None = None) -> pd.DataFrame:
        """One row per picture with tags, see ``mfa.read_tags``; only those with ``tag``."""
        marks = {place: w for place, w in self._marks.items() if tag is None or tag in w}
        return table_of(self.data, marks)

    def text(self, kind: str) -> str:
        """The content of a file of the ``kind`` ``csv`` (tags) or ``json`` (tags and views)."""
        if kind == "csv":
            return to_csv(self.table())
        return to_json(self.data, self.table(), views=[asdict(view) for view in self.views])

    def read(self, content: bytes, name: str) -> tuple[int, int]:
        """Add what a file holds; the number of its pictures and views."""
        marks, whole = parse(content, name, self.data)
        views = [_view(entry, name) for entry in _list(whole.get("views", []), name)]
        with self._changing:
            both = [place for place in marks if place in self._marks]
            joined = {place: (*self._marks[place], *marks[place]) for place in both}
            found = checked(self._marks | marks | joined)
            self._views, self._marks = _joined(self._views, views), found
            if content == self._on_disk():
                self._beside = content
        self._changed()
        return len(marks), len(views)

    def save(self) -> Path:
        """Write tags and views beside the run; where the file is.

        Raises:
            InputError: no run folder; it cannot be written; or somebody else has changed the file.
        """
        if self.path is None:
            raise InputError("this run has no folder", "download a file instead")
        with self._changing:
            if self._on_disk() != self._beside:
                raise InputError(
                    f"{self.path.name} has changed since this app opened it",
                    "open that file here, which adds what it holds, or download yours",
                )
            text = self.text("json")
            write_atomically(self.path, text)
            self._beside = text.encode()
        return self.path

    def code(self) -> str:
        """Code that makes the table again, and nothing where no picture has a tag."""
        tags: dict[str, dict[str, list[int]]] = {}
        for (side, position), words in marks_of(self.table()).items():
            for word in words:
                tags.setdefault(word, {}).setdefault(side, []).append(position)
        lines = "".join(f"    {word!r}: {sides!r},\n" for word, sides in tags.items())
        return f"tags = mfa.tag_pictures(data, {{\n{lines}}})\n" if lines else ""

    def _on_disk(self) -> bytes | None:
        try:
            return None if self.path is None else self.path.read_bytes()
        except OSError:
            return None

    def _changed(self) -> None:
        for follower in list(self.followers):
            follower.refresh()


def _joined(known: Mapping[tuple[str, str], View], more: Iterable[View]) -> _Views:
    found = dict(known)
    for view in more:
        name = clean_word(view.name, "name of the view")
        found[view.app, name] = View(name, view.app, dict(view.state))
    if len(found) > MOST:
        raise InputError(f"more than {MOST} views", "forget one that is not needed")
    return found


def _list(entries: Any, name: str) -> list[Any]:
    if not isinstance(entries, list):
        raise InputError(f"the views of {name} are no list", "give a file that an app wrote")
    return entries


def _view(entry: Any, name: str) -> View:
    try:
        view = View(entry["name"], entry["app"], entry["state"])
        words = [view.name, view.app, *view.state, *view.state.values()]
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"a view of {name} is none", "give a file that an app wrote") from error
    if not all(isinstance(word, str) for word in words):
        raise InputError(f"a view of {name} is none", "give a file that an app wrote")
    return view
