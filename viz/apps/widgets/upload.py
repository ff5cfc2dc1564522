"""A button that takes a picture file of the visitor's."""

from __future__ import annotations

import anywidget
import traitlets

from viz.apps.widgets.scripts import text


class Upload(anywidget.AnyWidget):
    """A file of the visitor's; one that is larger than ``limit`` is named but not sent.

    Attributes:
        label, tip: words on the button, and its tooltip.
        limit: bytes.
        name, size: of the file chosen last.
        content: of it; empty where it is too large.
        chosen: counts choices, so that the same file again is seen.
    """

    _esm = text("upload.js")
    label = traitlets.Unicode("").tag(sync=True)
    tip = traitlets.Unicode("").tag(sync=True)
    limit = traitlets.Int(0).tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)
    size = traitlets.Int(0).tag(sync=True)
    content = traitlets.CBytes(b"").tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)

    def take(self) -> bytes:
        """What was sent, which is not kept here."""
        content = bytes(self.content)
        self.content = b""
        return content
