"""Count the trip of a click: from a card in the rank app to the explanation in the widget.

The script clicks three cards, so that everything that is computed only once has been computed, and
traces the third click in every thread. Of each function of ``mfa`` and ``viz`` the first call
counts, in order of time. The trip begins with the click's handler and ends when the new pictures
are in the widget. Generated methods and comprehensions do not count, nor do timers, which speak up
on a slow machine alone.

A *stop* is a call in another module than the call before. A *return* is a stop in a module that the
trip has visited already. The script counts both for single modules and for rooms: a room is a
package, or a module that lies loose in ``mfa``, ``viz`` or ``viz.apps``.

    python tools/click_trip.py --run runs/demo/run --data-root data
"""

from __future__ import annotations

import argparse
import importlib
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

END = "Cards.put"
"""The call that puts the pictures into the widget."""


class Tracer:
    """Notes the first call of every function of ``mfa`` and ``viz`` while it is ``on``."""

    def __init__(self) -> None:
        self.calls: dict[str, None] = {}
        self.on = False
        threading.setprofile(self._note)  # for threads that begin from now on
        sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        timer = isinstance(threading.current_thread(), threading.Timer)
        if not self.on or timer or event != "call":
            return
        name, function = str(frame.f_globals.get("__name__", "")), frame.f_code.co_qualname
        written = not function.startswith("__create_fn__") and not function.endswith(">")
        if name.split(".")[0] in ("mfa", "viz") and written:
            self.calls.setdefault(f"{name}:{function}")


def room_of(module: str) -> str:
    """The package of a module, or the loose module itself."""
    parts = module.split(".")
    return ".".join(parts[: 3 if parts[:2] == ["viz", "apps"] else 2])


def counted(calls: list[str], place: Callable[[str], str]) -> str:
    """Stops, places and returns of a trip in words."""
    places = [place(call.partition(":")[0]) for call in calls]
    stops = [here for here, before in zip(places, ["", *places], strict=False) if here != before]
    rooms = len({*stops})
    return f"{len(stops)} stops in {rooms} places, {len(stops) - rooms} returns"


def main() -> None:
    """Open the app, click, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("runs/demo/run"))
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--call", default="viz.rank_explorer", help="function that opens the app")
    parser.add_argument("--trip", action="store_true", help="print every call as well")
    options = parser.parse_args()
    tracer = Tracer()
    name, _, function = options.call.rpartition(".")
    app = getattr(importlib.import_module(name), function)(options.run, data_root=options.data_root)
    app.wait(600)
    for place in (1, 2, 3):
        tracer.on = place == 3
        version = app.maps.version
        app.rows[0].selected = place
        app.rows[0].clicks += 1
        while app.maps.version == version or app.message.value == "":
            time.sleep(0.01)
        tracer.on = False
        app.wait(600)
    app.close()
    calls = list(tracer.calls)
    end = max(number for number, call in enumerate(calls) if call.endswith(END))
    calls = calls[: end + 1]
    if options.trip:
        print("\n".join(calls))
    print(f"modules: {counted(calls, str)}\nrooms: {counted(calls, room_of)}")


if __name__ == "__main__":
    main()
