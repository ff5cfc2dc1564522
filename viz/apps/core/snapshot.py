"""An app's view as plain HTML: what a page shows that has no kernel and no scripts."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import ipywidgets

from viz.apps.core import html
from viz.apps.widgets import Cards, Picture, Table


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
    elif hasattr(widget, "children"):
        for child in widget.children:
            yield from _parts(child)


def _image(data: bytes, alt: str) -> str:
    place = html.data_url(data, "image/png" if data[:4] == b"\x89PNG" else "image/jpeg")
    return f"<img alt='{escape(alt)}' style='max-width:100%' src='{place}'>"
