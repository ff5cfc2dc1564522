"""A button that takes a picture of the visitor's."""

from __future__ import annotations

import anywidget
import traitlets

from viz.apps.widgets.assets import text


class Upload(anywidget.AnyWidget):
    """A picture file of the visitor's, which the browser makes smaller before it is sent.

    Attributes:
        label, tip: words on the button, and its tooltip.
        side: pixels of the longer side of what is sent.
        name: of the file chosen last.
        content: of it as JPEG; empty where the browser could not read it.
        chosen: counts choices, so that the same file again is seen.
    """

    _esm = text("upload.js")
    label = traitlets.Unicode("").tag(sync=True)
    tip = traitlets.Unicode("").tag(sync=True)
    side = traitlets.Int(1024).tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)
    content = traitlets.CBytes(b"").tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)

    def take(self) -> bytes:
        """What was sent, which is not kept here."""
        content = bytes(self.content)
        self.content = b""
        return content
