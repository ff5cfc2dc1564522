"""A widget that shows nothing and sees to it that the others hear what the kernel tells them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import anywidget
import traitlets

from viz.apps.widgets.scripts import text


class Ears(anywidget.AnyWidget):
    """Helps widgets that a busy page was too slow to make; see ``ears.js``.

    Attributes:
        names: model ids of the widgets it looks after, its own among them.
    """

    _esm = text("ears.js")
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self) -> None:
        own = uuid4().hex
        self._others: dict[str, Any] = {own: self}
        super().__init__(model_id=own, names=[own], layout={"display": "none"})
        self.on_msg(self._again)

    def attend(self, widgets: Iterable[Any]) -> None:
        """Look after the anywidgets among ``widgets``, instead of those before."""
        others = {w.model_id: w for w in widgets if isinstance(w, anywidget.AnyWidget)}
        self._others = {self.model_id: self} | others
        self.names = list(self._others)

    def close(self) -> None:
        """See ``Widget.close``."""
        self._others = {}
        super().close()

    def _again(self, _: Any, content: Any, buffers: Any) -> None:
        """Tell a widget everything once more, except its script, which it has."""
        missed = self._others.get(str(content.get("missed")))
        if missed is not None:
            missed.send_state([key for key in missed.keys if key not in ("_esm", "_css")])
