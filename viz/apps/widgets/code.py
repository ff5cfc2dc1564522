"""The code of what an app shows, with a button that copies it."""

from __future__ import annotations

import anywidget
import traitlets

from viz.apps.widgets.assets import text


class Code(anywidget.AnyWidget):
    """A button that opens a listing.

    Attributes:
        expanded: whether the listing is shown.
        text: the listing.
    """

    _esm = text("code.js")
    _css = text("code.css")
    expanded = traitlets.Bool(False).tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
