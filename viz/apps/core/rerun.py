"""A cell that runs again closes the apps that it opened before.

Without this every run of a cell would leave a thread, its widgets and a network behind.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

_OPEN: dict[str, tuple[str, WeakSet[Any]]] = {}
"""Apps by the cell that opened them, with the execution that did."""


def current_cell() -> tuple[str, str] | None:
    """The notebook cell that is running and the number of this execution; ``None`` elsewhere."""
    try:
        from IPython.core.getipython import get_ipython

        shell: Any = get_ipython()
        parent = shell.kernel.get_parent("shell")
        return parent["metadata"]["cellId"], parent["header"]["msg_id"]
    except (ImportError, AttributeError, KeyError, TypeError):
        return None  # a script, or a page that does not name its cells


def opened(app: Any) -> None:
    """Note that the running cell has opened ``app``; close what it opened in an earlier run."""
    cell = current_cell()
    if cell is None:
        return
    name, execution = cell
    before, apps = _OPEN.get(name, ("", WeakSet()))
    if before != execution:
        for old in list(apps):
            old.close(wait=0)
        apps = WeakSet()
    apps.add(app)
    _OPEN[name] = (execution, apps)
