"""The address of the page holds what is shown: Back, Reload and a link bring it again."""

from __future__ import annotations

import anywidget
import traitlets

from viz.apps.widgets.assets import text


class Address(anywidget.AnyWidget):
    """A widget without a look.

    Attributes:
        query: what stands behind the question mark; the kernel writes it.
        asked: what the visitor went to by Back or Forward.
        visits: counts these.
    """

    _esm = text("address.js")
    query = traitlets.Unicode("").tag(sync=True)
    asked = traitlets.Unicode("").tag(sync=True)
    visits = traitlets.Int(0).tag(sync=True)
