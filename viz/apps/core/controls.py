"""Controls as all apps have them: labelled, and as wide as their words need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets


def button(label: str, tip: str) -> Any:
    """A button with a tooltip that also names it for screen readers."""
    return ipywidgets.Button(
        description=label, tooltip=tip, layout={"width": "auto", "min_width": "4em"}
    )


def row(children: Sequence[Any]) -> Any:
    """Widgets side by side that wrap where the page is narrow."""
    layout = {"display": "flex", "flex_flow": "row wrap", "grid_gap": "4px 14px"}
    return ipywidgets.Box(list(children), layout={**layout, "align_items": "center"})


def choice(label: str, options: Any, **traits: Any) -> Any:
    """A labelled drop-down list, as wide as its words need."""
    return ipywidgets.Dropdown(
        description=label,
        options=options,
        style={"description_width": "initial"},
        layout={"width": "auto", "max_width": "100%"},
        **traits,
    )


def tick(label: str, **traits: Any) -> Any:
    """A labelled check box."""
    return ipywidgets.Checkbox(description=label, indent=False, layout={"width": "auto"}, **traits)


def number(label: str, low: int, high: int) -> Any:
    """A labelled field for a whole number; others are brought back between ``low`` and ``high``."""
    return ipywidgets.BoundedIntText(
        description=label,
        min=low,
        max=high,
        style={"description_width": "initial"},
        layout={"width": "auto", "max_width": "100%"},
    )


def field(label: str, example: str = "", width: str = "18em") -> Any:
    """A labelled field for words, taken when Enter is pressed or the field is left."""
    return ipywidgets.Text(
        description=label,
        placeholder=example,
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"width": width, "max_width": "100%"},
    )
