"""The controls of all apps: labelled, and as wide as their words need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

WIDE = {"width": "100%", "max_width": "24em"}
LABEL = {"description_width": "initial"}


def button(label: str, tip: str) -> Any:
    """A button; the tooltip names it for screen readers as well."""
    return ipywidgets.Button(
        description=label, tooltip=tip, layout={"width": "auto", "min_width": "4em"}
    )


def row(children: Sequence[Any], **layout: Any) -> Any:
    """Widgets side by side that wrap where the page is narrow."""
    box = {"display": "flex", "flex_flow": "row wrap", "grid_gap": "4px 14px"}
    return ipywidgets.Box(list(children), layout={**box, "align_items": "center", **layout})


def choice(label: str, options: Any, **traits: Any) -> Any:
    """A labelled drop-down list."""
    return ipywidgets.Dropdown(
        description=label, options=options, style=LABEL, layout=WIDE, **traits
    )


def tick(label: str, **traits: Any) -> Any:
    """A labelled check box."""
    return ipywidgets.Checkbox(description=label, indent=False, layout={"width": "auto"}, **traits)


def number(label: str, low: int, high: int) -> Any:
    """A labelled field for a whole number; others are brought back between ``low`` and ``high``."""
    return ipywidgets.BoundedIntText(
        description=label, min=low, max=high, style=LABEL, layout={"width": "auto"}
    )


def slider(label: str, low: float, high: float, step: float = 0.01) -> Any:
    """A labelled slider; of whole numbers where its ends and its step are whole."""
    whole = all(isinstance(value, int) for value in (low, high, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    return kind(description=label, min=low, max=high, step=step, style=LABEL, layout=WIDE)


def field(label: str, example: str = "") -> Any:
    """A labelled field for words, taken when Enter is pressed or the field is left."""
    return ipywidgets.Text(
        description=label, placeholder=example, continuous_update=False, style=LABEL, layout=WIDE
    )


def title(words: str) -> Any:
    """The heading of a group of controls."""
    return ipywidgets.HTML(f"<h3 class='mfa-group'>{words}</h3>")
