"""Widgets with everything they refer to: walk through them, or give them back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import ipywidgets


def close_tree(widget: Any) -> None:
    """Close a widget and all it refers to."""
    for found in list(tree(widget)):
        with suppress(KeyError):  # its channel was given back already, by the kernel or a thread
            found.close()


def tree(widget: Any) -> Iterator[Any]:
    """A widget and all it refers to, layouts and styles too."""
    seen: set[int] = set()
    open_ = [widget]
    while open_:
        found = open_.pop()
        if isinstance(found, tuple | list):
            open_.extend(found)
        elif isinstance(found, ipywidgets.Widget) and id(found) not in seen:
            seen.add(id(found))
            open_.extend(getattr(found, key) for key in found.keys)
            yield found
