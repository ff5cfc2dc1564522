"""What a visitor of the web page sees: the first page, or the app that the address names."""

from __future__ import annotations

import os
import typing
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import ipywidgets
from traitlets import TraitError

import viz.apps
from mfa.errors import InputError
from viz.apps import lessons
from viz.apps.core import html
from viz.apps.core.address import from_query, left_out, to_query
from viz.apps.web.landing import LESSONS, QUESTIONS, SEVERAL, landing
from viz.apps.widgets import Address

LOCAL_ONLY = ("training",)
"""Apps that start programs: only for those who sit at the machine."""

LACKING = {"own": "your picture", "strokes": "all strokes", "selection": "so large a selection"}
"""What people call fields that may not fit into an address."""


class Page:
    """All apps of one visit, in one kernel; the address says which one and in which state.

    Args:
        runs: folders of the runs.
        data: dataset, by default the one that the first run was trained on.
        data_root: where datasets lie.
        start: app of the plain address; the first page where empty.
        local: whether the page is served to this machine alone.
        **computing: ``device`` and ``precision`` of the networks; see ``mfa.open_run``.
    """

    def __init__(
        self,
        runs: Sequence[str],
        data: str | None = None,
        data_root: str | None = None,
        start: str = "",
        local: bool = True,
        **computing: str | None,
    ) -> None:
        self.runs, self.data, self.start, self.computing = list(runs), data, start, computing
        self.root = None if data_root is None else Path(data_root)
        self.names = [name for name in QUESTIONS if local or name not in LOCAL_ONLY]
        self.apps: dict[str, Any] = {}
        self.here = ""
        self.address = Address()
        self.top, self.note = ipywidgets.HTML(), ipywidgets.HTML()
        self.place = ipywidgets.VBox()
        self.view = ipywidgets.VBox([self.top, self.note, self.place, self.address])
        self.view.add_class("mfa-page")
        self.address.observe(lambda _: self.go(self.address.asked), "visits")
        self.go(os.environ.get("QUERY_STRING", ""))

    def go(self, query: str) -> None:
        """Show what the part of an address behind the question mark says."""
        given = dict(parse_qsl(query, keep_blank_values=True))
        self.here = name = given.pop("app", self.start)
        self.top.value = html.style() + _links(self.names, name)
        self.note.value, old = "", self.place.children
        try:
            if name:
                self.place.children = (self._open(name, given).view,)
            else:
                self.place.children = (ipywidgets.HTML(landing(self.names, self.runs)),)
        except InputError as error:
            self.place.children = ()
            self.note.value = html.message(str(error), error=True)
        for widget in old:
            if isinstance(widget, ipywidgets.HTML):
                widget.close()
        self._write()

    def _open(self, name: str, given: dict[str, str]) -> Any:
        """The app, opened or, where this visit has it already, brought into the state asked for."""
        if name not in (*self.names, *LESSONS):
            raise InputError(f"there is no app {name!r} here", "choose one above")
        make = getattr(lessons, name) if name in LESSONS else viz.apps.opener(name)
        app = typing.get_type_hints(make)["return"]  # App[State, ...], or a class made of it
        base = app if typing.get_args(app) else app.__orig_bases__[0]
        fields = from_query(typing.get_args(base)[0], given)
        try:
            if name not in self.apps:
                self.apps[name] = self._make(name, make, fields)
                self.apps[name].changed = self._write
            else:
                self.apps[name].set(**fields)
        except TraitError as error:  # a control has no such choice
            if name in self.apps:
                self.apps.pop(name).close(wait=0)
            raise InputError(
                f"the address asks the app {name} for what it does not have", "choose it above"
            ) from error
        return self.apps[name]

    def _make(self, name: str, make: Any, fields: dict[str, Any]) -> Any:
        """An app or a lesson, with what it needs of the runs and their dataset."""
        if name == "ablation" or (name in LESSONS and name != "pk_batch"):
            return make(**fields)
        if name in ("dataset", "pk_batch", "training"):
            from mfa.inference.evaluate import resolve  # PyTorch: the first page does without it
            from mfa.runs.run import open_run

            data = resolve(open_run(self.runs[0]), self.data, self.root)
            if name == "training":
                return make(Path(self.runs[0]).parent / "training", data=data, **fields)
            return make(data, **fields)
        given = self.runs if name in SEVERAL else self.runs[0]
        return make(given, data=self.data, data_root=self.root, **self.computing, **fields)

    def _write(self) -> None:
        """The address follows the app that is shown."""
        app = self.apps.get(self.here)
        state = None if app is None else app.state
        self.address.query = to_query(self.here, state)
        if self.place.children:  # else the note says why there is nothing
            lacking = ", ".join(LACKING.get(name, name) for name in left_out(state))
            words = f"The address does not hold {lacking}: a link or Reload loses that."
            self.note.value = html.message(words) if lacking else ""


def _links(names: Sequence[str], here: str) -> str:
    links = []
    for name in ("", *names):
        mark = "aria-current='page' class='mfa-link mfa-here'"
        kind = mark if name == here else "class='mfa-link'"
        links.append(f"<a href='?app={name}' {kind}>{escape(name or 'all apps')}</a>")
    return f"<nav class='mfa-nav' aria-label='Apps'>{' '.join(links)}</nav>"
