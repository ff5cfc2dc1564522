"""A slider made of the page's own range input: labelled, and moved by the arrow keys."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent


class Slider(anywidget.AnyWidget):
    """A number between two ends.

    Attributes:
        label: its name on the page.
        value, min, max, step: as of a range input.
        digits: decimals shown.
        disabled: whether it can be moved.
    """

    _esm = HERE / "slider.js"
    _css = HERE / "slider.css"
    label = traitlets.Unicode("").tag(sync=True)
    value = traitlets.Float(0.0).tag(sync=True)
    min = traitlets.Float(0.0).tag(sync=True)
    max = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Float(0.01).tag(sync=True)
    digits = traitlets.Int(2).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)
