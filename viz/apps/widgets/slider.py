"""A slider made of the page's own range input: labelled, and moved by the arrow keys."""

from __future__ import annotations

import anywidget
import traitlets

from viz.apps.widgets.scripts import text


class Slider(anywidget.AnyWidget):
    """A number between two ends.

    Attributes:
        label: its name on the page.
        value, min, max, step: as of a range input.
        digits: decimals shown.
        disabled: whether it can be moved.
    """

    _esm = text("slider.js")
    _css = text("slider.css")
    label = traitlets.Unicode("").tag(sync=True)
    value = traitlets.Float(0.0).tag(sync=True)
    min = traitlets.Float(0.0).tag(sync=True)
    max = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Float(0.01).tag(sync=True)
    digits = traitlets.Int(2).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)
