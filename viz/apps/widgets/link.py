"""The link between page and kernel: late widgets still get their messages, a lost kernel shows."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from anywidget import AnyWidget
from traitlets import List, Unicode

from viz.apps.widgets.scripted import Scripted


def kernel_id() -> str:
    """The server's id of the kernel that runs this; empty where there is none."""
    connect = sys.modules.get("ipykernel.connect")  # loading it would take over the comms
    if connect is None:
        return ""
    with contextlib.suppress(RuntimeError):
        found = re.search(r"kernel-([\w-]+)\.json$", connect.get_connection_file())
        return found[1] if found else ""
    return ""


class Link(Scripted):
    """Shows nothing until the kernel is lost; see ``link.js``.

    Attributes:
        names: model ids of the widgets it looks after, its own among them.
        kernel: id of the kernel, by which the page asks the server whether it is alive.
    """

    names = List(Unicode()).tag(sync=True)
    kernel = Unicode("").tag(sync=True)

    def __init__(self) -> None:
        own = uuid4().hex
        self._others: dict[str, Any] = {own: self}
        super().__init__(model_id=own, names=[own], kernel=kernel_id())
        self.on_msg(self._heard)

    def attend(self, widgets: Iterable[Any]) -> None:
        """Look after the anywidgets among ``widgets``, instead of those before."""
        others = {w.model_id: w for w in widgets if isinstance(w, AnyWidget)}
        self._others = {self.model_id: self} | others
        self.names = list(self._others)

    def close(self) -> None:
        """See ``Widget.close``."""
        self._others = {}
        super().close()

    def _heard(self, _: Any, content: Any, buffers: Any) -> None:
        if "asked" in content:
            self.send({"answer": True})
        missed = self._others.get(str(content.get("missed")))
        if missed is not None:  # everything once more, except its script, which it has
            missed.send_state([key for key in missed.keys if key not in ("_esm", "_css")])
