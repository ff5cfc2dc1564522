"""A table some of whose numbers can be pressed, to see what is behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets

from viz.apps.widgets.assets import text


class Table(anywidget.AnyWidget):
    """Rows of words and numbers; the first cell of each row names it.

    Attributes:
        caption: what the table is of.
        headings: of the columns.
        rows: words, as many per row as there are headings.
        active: columns whose cells are buttons, except where they are empty or 0.
        prose: whether cells are words rather than numbers.
        cell: (row, column) of the cell pressed last; empty before.
        clicks: counts presses, so that a second one on one cell is seen too.
    """

    _esm = text("table.js")
    _css = text("table.css")
    caption = traitlets.Unicode("").tag(sync=True)
    headings = traitlets.List(traitlets.Unicode()).tag(sync=True)
    rows: Any = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)
    active = traitlets.List(traitlets.Int()).tag(sync=True)
    prose = traitlets.Bool(False).tag(sync=True)
    cell = traitlets.List(traitlets.Int()).tag(sync=True)
    clicks = traitlets.Int(0).tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def put(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        caption: str = "",
        active: Sequence[int] = (),
    ) -> None:
        """Replace everything in one message to the page."""
        made = [list(row) for row in rows]
        same = (list(headings), made, caption, list(active))
        if same == (self.headings, self.rows, self.caption, self.active):
            return
        with self.hold_sync():
            self.headings, self.rows, self.caption, self.active = same
            self.version += 1
