"""An app's view as plain HTML: what a page shows that has no kernel and no scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from html import escape
from typing import Any
from uuid import uuid4

import ipywidgets

from viz.apps.core import html
from viz.apps.widgets import Cards, Picture, Table

REST = 1.0
"""Seconds without a change after which the picture in the notebook follows the app."""


class Still:
    """A picture of an app in the notebook's own outputs, so that a saved notebook holds it.

    It is an output of its own below the app's: an update of the output that holds the widget would
    make the page draw the widget anew. The living app hides it; where none lives, on a page that
    was exported or in a notebook that was opened again, it is seen.
    """

    def __init__(self, view: Any) -> None:
        self._view, self._heading = view, ""
        self._name = f"mfa-still-{uuid4().hex}"
        self._placed = False
        self._pending: threading.Timer | None = None

    def place(self, heading: str) -> None:
        """Display the app and its picture in the running cell."""
        from IPython.display import display

        if not self._placed:
            hide = f"<style>.{self._name} {{ display: none }}</style>"
            style = ipywidgets.HTML(hide, layout={"display": "none"})
            self._view.children = (*self._view.children, style)
            self._placed, self._heading = True, heading
        bundle = self._view._repr_mimebundle_()
        data = dict(bundle[0] if isinstance(bundle, tuple) else bundle or {})
        del data["text/plain"]
        data["text/html"] = ""  # what stands for the widget on a page: the picture below is enough
        display(data, raw=True)  # type: ignore[no-untyped-call]
        self._publish(update=False)

    def follow(self) -> None:
        """The app shows something else now."""
        if self._placed:
            self._drop()
            self._pending = threading.Timer(REST, self.now)
            self._pending.daemon = True
            self._pending.start()

    def now(self) -> None:
        """Bring the picture up to date, where it is not."""
        if self._drop():
            self._publish(update=True)

    def close(self) -> None:
        """The picture stays as it is."""
        self._drop()
        self._placed = False

    def _drop(self) -> bool:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()
        return pending is not None

    def _publish(self, *, update: bool) -> None:
        from IPython.display import display

        picture = f"<div class='{self._name}'>{snapshot(self._view)}</div>"
        data = {"text/html": picture, "text/plain": self._heading}
        display(  # type: ignore[no-untyped-call]
            data, raw=True, display_id=self._name, update=update
        )


def snapshot(view: Any) -> str:
    """Pictures, words and chosen values of a view, one after the other."""
    return f"<div class='mfa-app'>{''.join(_parts(view))}</div>"


def _parts(widget: Any) -> Iterator[str]:
    if widget.layout.display == "none" or widget.layout.visibility == "hidden":
        return
    if isinstance(widget, Cards):
        pictures = (
            f"<figure style='display:inline-block;margin:4px'>{_image(data, item['alt'])}"
            f"<figcaption>{escape(item['title'])}<br><small>{escape(item['sub'])}</small>"
            "</figcaption></figure>"
            for data, item in zip(widget.images, widget.items, strict=True)
        )
        yield f"<div><strong>{escape(widget.label)}</strong><br>{''.join(pictures)}</div>"
    elif isinstance(widget, Picture):
        if widget.image:
            yield f"<div>{_image(widget.image, widget.label)}</div>"
    elif isinstance(widget, Table):
        yield html.table(widget.headings, widget.rows, widget.caption, prose=widget.prose)
    elif isinstance(widget, ipywidgets.HTML):
        yield f"<div>{widget.value}</div>"
    elif isinstance(widget, ipywidgets.DOMWidget) and hasattr(widget, "value"):
        yield from _setting(widget)
    elif hasattr(widget, "children"):
        for child in widget.children:
            yield from _parts(child)


def _setting(control: Any) -> Iterator[str]:
    """The name of a control and what is chosen; nothing where nothing is."""
    value = control.label if isinstance(control, ipywidgets.Dropdown) else control.value
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if control.description and value not in ("", None):
        yield f"<small>{escape(f'{control.description}: {value}')}</small>&emsp;"


def _image(data: bytes, alt: str) -> str:
    place = html.data_url(data, "image/png" if data[:4] == b"\x89PNG" else "image/jpeg")
    return f"<img alt='{escape(alt)}' style='max-width:100%' src='{place}'>"
