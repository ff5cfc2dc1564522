"""``python -m benchmarks.visitors``: many visitors of the web page at once, and their memory.

The apps are served to this machine, with ``mfa-tiny`` on drawn people. Every visitor goes through
the apps, asks for a number of ranks of its own, and searches with a picture of a colour of its own.
Whatever it is shown with another number or another colour is counted as foreign.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import reduce
from http.cookies import SimpleCookie
from itertools import cycle
from operator import getitem
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import numpy as np
import psutil
import tyro
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from PIL import Image
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

from benchmarks import harness
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.inference.evaluate import extract_features
from mfa.runs.checkpoint import CHECKPOINT, save_checkpoint
from mfa.runs.run import open_run
from mfa.synthetic import SyntheticConfig, write

APPS = {
    "ranks": "app=ranks&query={query}&k={k}",
    "attention": "app=attention&position={query}&opacity={opacity}",
    "branches": "app=branches&query={query}&k={k}",
    "occlusion": "app=occlusion&query={query}&k={k}",
}
"""Apps that a visitor goes through, and an address of each."""

QUERIES = 20
QUIET = 0.5
"""Seconds without a message after which a change counts as shown, whole."""

SLOWEST = 300  # seconds that an answer may take


@dataclass(frozen=True)
class Args:
    """Visit the apps' web page with many visitors at once; measure memory and waiting times."""

    visitors: int = 20
    """Visitors, each with a kernel of its own."""
    minutes: float = 10
    """How long they stay once all are there."""
    pause: float = 2
    """Mean seconds between a picture and the visitor's next act."""
    output: Path | None = None
    """JSON file for the figures."""


class Visitor:
    """One browser on the page.

    Attributes:
        number: of the visitor; decides its ranks and its colour.
        kernel: id of the visit's kernel; empty where the page came without one.
        page: the answer to the first request.
        models: state of every widget, by model id.
        seconds: that each change took, until its picture was there.
        foreign: what was shown although this visitor never asked for it.
    """

    def __init__(self, number: int, page: HTTPResponse, kernel: str) -> None:
        self.number, self.page, self.kernel = number, page, kernel
        # Ranks, a detail of addresses, and the colour of a picture that no other visitor has.
        self.k = number + 2
        self.own = {"k": self.k, "opacity": (number + 1) / 1000}
        self.colour = tuple(50 * (number // 5**place % 5) + 20 for place in range(3))
        self.models: dict[str, dict[str, Any]] = {}
        self.seconds: list[float] = []
        self.foreign: list[str] = []
        self._news = asyncio.Event()
        self._heard = 0.0

    def model(self, trait: str) -> str:
        """Id of a widget that has a trait; empty where there is none."""
        return next((name for name, state in self.models.items() if trait in state), "")

    @property
    def pictures(self) -> int:
        """Counts rows of cards that were replaced: it grows when an app shows something new."""
        return sum(state["version"] for state in self.models.values() if "clickable" in state)

    @property
    def errors(self) -> list[str]:
        """Errors that an app shows now."""
        values = [str(state.get("value", "")) for state in self.models.values()]
        return [value for value in values if "class='mfa-error'" in value]

    async def go(self, query: str) -> None:
        """Go to an address in the page, as Back does, and wait for its picture."""
        name, before, wanted = self.model("asked"), self.pictures, parse_qs(query)
        asked = {"asked": query, "visits": self.models[name]["visits"] + 1}

        def shown() -> bool:
            here = parse_qs(self.models[name]["query"])
            return self.pictures > before and here.get("app") == wanted["app"]

        await self._timed(name, asked, shown)

    async def search(self) -> None:
        """Search with a picture in this visitor's colour, and wait for the answer."""
        before, buffer = self.pictures, io.BytesIO()
        Image.new("RGB", (64, 128), self.colour).save(buffer, "PNG")
        await self.upload(buffer.getvalue(), "mine.png", lambda: self.pictures > before)

    async def upload(self, content: bytes, name: str, holds: Callable[[], bool]) -> None:
        """Choose a picture file, and wait until something holds."""
        model = self.model("chosen")
        chosen = {"name": name, "chosen": self.models[model]["chosen"] + 1}
        await self._timed(model, chosen, holds, {"content": content})

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds.

        Raises:
            TimeoutError: it takes more than ``SLOWEST`` seconds.
            ConnectionError: the kernel is gone.
        """
        async with asyncio.timeout(SLOWEST):
            while not holds():
                if self._reader.done():
                    raise ConnectionError(f"visitor {self.number} lost its kernel")
                self._news.clear()
                await self._news.wait()

    async def connect(self, url: str) -> None:
        """Speak to the kernel, and ask it for its widgets."""
        address = f"ws{url.removeprefix('http')}api/kernels/{self.kernel}/channels"
        self._socket: WebSocketClientConnection = await websocket_connect(
            address, subprotocols=["v1.kernel.websocket.jupyter.org"]
        )
        self._reader = asyncio.create_task(self._read())
        comm = uuid4().hex
        target = {"comm_id": comm, "target_name": "jupyter.widget.control", "data": {}}
        await self.send("comm_open", target, metadata={"version": "1.0.0"})
        await self.send("comm_msg", {"comm_id": comm, "data": {"method": "request_states"}})
        await self.until(lambda: bool(self.model("asked")))

    async def leave(self, url: str) -> None:
        """Close the page, which ends the kernel."""
        self._reader.cancel()
        self._socket.close()
        cookies = SimpleCookie("; ".join(self.page.headers.get_list("Set-Cookie")))
        secret = cookies["_xsrf"].value
        address = f"{url}voila/api/shutdown/{self.kernel}?_xsrf={secret}"
        await fetch(address, method="POST", body="", headers={"Cookie": f"_xsrf={secret}"})

    async def send(
        self,
        kind: str,
        content: Mapping[str, Any],
        buffers: Sequence[bytes] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Send a message to the kernel."""
        header = {"msg_id": uuid4().hex, "msg_type": kind, "session": self.kernel}
        header |= {"username": "", "version": "5.3"}
        parts = [json.dumps(part).encode() for part in (header, {}, metadata or {}, content)]
        await self.send_bytes(serialize_msg_to_ws_v1([*parts, *buffers], "shell"))

    async def send_bytes(self, message: bytes) -> None:
        """Send what may be no message."""
        await self._socket.write_message(message, binary=True)

    @property
    def close_code(self) -> int | None:
        """Why the server closed the socket; ``None`` while it is open."""
        return self._socket.close_code

    async def _timed(
        self,
        model: str,
        state: Mapping[str, Any],
        holds: Callable[[], bool],
        buffers: Mapping[str, bytes] | None = None,
    ) -> None:
        """Set traits of a widget, as the page does, and time until something holds."""
        given, started = buffers or {}, time.perf_counter()
        self.models[model].update(state)
        data = {"method": "update", "state": state, "buffer_paths": [[key] for key in given]}
        await self.send("comm_msg", {"comm_id": model, "data": data}, list(given.values()))
        await self.until(lambda: holds() or bool(self.errors))
        while time.perf_counter() - self._heard < QUIET:
            await asyncio.sleep(QUIET / 5)
        self.seconds.append(self._heard - started)

    async def _read(self) -> None:
        while (answer := await self._socket.read_message()) is not None:
            assert isinstance(answer, bytes)
            _, parts = deserialize_msg_from_ws_v1(answer)
            header, _, _, content = map(json.loads, parts[:4])
            data = content.get("data", {})
            if header["msg_type"] == "comm_close":
                self.models.pop(content["comm_id"], None)
            elif "states" in data:
                self.models |= {name: one["state"] for name, one in data["states"].items()}
            elif "state" in data:
                for path, buffer in zip(data.get("buffer_paths", ()), parts[4:], strict=False):
                    holder = reduce(getitem, path[:-1], data["state"])
                    holder[path[-1]] = buffer
                self.models.setdefault(content["comm_id"], {}).update(data["state"])
                self._check(data["state"])
            self._heard = time.perf_counter()
            self._news.set()
        self._news.set()

    def _check(self, state: Mapping[str, Any]) -> None:
        """Is what was just sent this visitor's own: ranks, picture and address?"""
        address = parse_qs(str(state.get("query", "")))
        for key, value in self.own.items():
            if key in address and float(address[key][0]) != value:
                self.foreign.append(f"{key}={address[key][0]}, not {value}")
        items = state.get("items") or [{"title": ""}]
        if items[0]["title"] in ("query", "your picture") and len(items) != self.k + 1:
            self.foreign.append(f"{len(items) - 1} ranks, not {self.k}")
        if items[0]["title"] == "your picture":
            with Image.open(io.BytesIO(state["images"][0])) as image:
                seen = np.asarray(image.convert("RGB")).mean(axis=(0, 1))
            if np.abs(seen - self.colour).max() > 12:
                self.foreign.append(f"a picture of colour {seen}, not {self.colour}")


async def fetch(url: str, **options: Any) -> HTTPResponse:
    """One answer of the server, whatever its status; redirects are not followed."""
    return await AsyncHTTPClient().fetch(
        url, raise_error=False, follow_redirects=False, request_timeout=SLOWEST, **options
    )


async def arrive(url: str, number: int, query: str = "") -> Visitor:
    """Load the page as a visitor; where it comes with a kernel, wait for its widgets."""
    page = await fetch(f"{url}?{query}")
    found = re.search(r'"kernelId": "([^"]+)"', page.body.decode())
    visitor = Visitor(number, page, found[1] if found else "")
    if found:
        await visitor.connect(url)
    return visitor


@asynccontextmanager
async def visit(url: str, number: int, query: str = "") -> AsyncIterator[Visitor]:
    """A visitor for the length of the block."""
    visitor = await arrive(url, number, query)
    try:
        yield visitor
    finally:
        if visitor.kernel:
            await visitor.leave(url)


@contextmanager
def serving(run: Path, root: Path, most: int) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the apps of a run for ``most`` visits; gives the address and the process.

    Raises:
        InputError: the server does not start.
    """
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    command = [
        *(sys.executable, "-c", "from viz.cli import main; main()", "app", "--run", str(run)),
        *("--data", "synthetic", "--data-root", str(root)),
        *("--port", str(port), "--visits", str(most)),
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + SLOWEST
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise InputError("the server did not start", "see what it says above")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def class_room(folder: Path) -> tuple[Path, Path]:
    """A run of mfa-tiny with its descriptors, and the folder of its drawn people."""
    run, root = folder / "run", folder / "data"
    write(root, SyntheticConfig(train_ids=2, test_ids=QUERIES, train_images=4, distractors=20))
    run.mkdir()
    save_checkpoint(open_run("mfa-tiny").checkpoint, run / CHECKPOINT)
    extract_features(open_run(run), load_dataset("synthetic", root))
    return run, root


def memory(server: psutil.Process) -> dict[str, float]:
    """MiB of the server, of the largest kernel, and of all together.

    Pages that several processes share count once: each gets its part of them.
    """
    kernels = []
    for child in server.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            kernels.append(child.memory_full_info().pss / 2**20)
    own = server.memory_full_info().pss / 2**20
    return {"server": own, "visit": max(kernels, default=0.0), "all": own + sum(kernels)}


async def stay(visitor: Visitor, until: float, pause: float) -> None:
    """Go through the apps until a time, with three changes and one search in each round."""
    for step, app in enumerate(cycle(app for app in APPS for _ in range(3)), start=1):
        if time.monotonic() > until:
            return
        query = (7 * step + visitor.number) % QUERIES
        await visitor.go(APPS[app].format(query=query, **visitor.own))
        if app == "ranks" and step % 3 == 0:
            await visitor.search()
        await asyncio.sleep(pause * (0.5 + (step + visitor.number) % 5 / 4))


async def soak(url: str, server: psutil.Process, args: Args) -> dict[str, Any]:
    """Let the visitors come, stay and leave; the figures."""
    AsyncHTTPClient.configure(None, max_clients=4 * args.visitors)
    started = time.monotonic()
    before = memory(server)
    visitors = await asyncio.gather(*(arrive(url, number) for number in range(args.visitors)))
    landed = memory(server)
    arrived, until = time.monotonic(), time.monotonic() + 60 * args.minutes
    samples, refused = [], []
    going = asyncio.gather(*(stay(visitor, until, args.pause) for visitor in visitors))
    while not going.done():
        await asyncio.wait([going], timeout=max(1.0, 6 * args.minutes / 10))
        samples.append(await asyncio.to_thread(memory, server))
        extra = await fetch(url)
        refused.append(extra.code == 503 and b"no memory for one more" in extra.body)
    await going
    await visitors[0].leave(url)
    async with visit(url, args.visitors) as late:
        let_in = bool(late.kernel)
    seconds = sorted(value for visitor in visitors for value in visitor.seconds)
    half = samples[len(samples) // 2]
    return {
        "visitors": args.visitors,
        "minutes": args.minutes,
        "changes": len(seconds),
        "foreign": [words for visitor in visitors for words in visitor.foreign],
        "errors": sorted({words for visitor in visitors for words in visitor.errors}),
        "all_arrived_s": arrived - started,
        "change_median_s": statistics.median(seconds),
        "change_p95_s": seconds[round(0.95 * (len(seconds) - 1))],
        "server_alone_mib": before["server"],
        "all_on_first_page_mib": landed["all"],
        "largest_visit_mib": max(sample["visit"] for sample in samples),
        "most_mib": max(sample["all"] for sample in samples),
        "half_time_mib": half["all"],
        "end_mib": samples[-1]["all"],
        "samples": len(samples),
        "one_too_many_refused": sum(refused),
        "one_let_in_after_one_left": let_in,
    }


def main(argv: Sequence[str]) -> None:
    """Run the soak, print its figures, and keep them."""
    args = tyro.cli(Args, args=argv, prog="python -m benchmarks.visitors")
    with tempfile.TemporaryDirectory() as folder:
        run, root = class_room(Path(folder))
        with serving(run, root, args.visitors) as (url, server):
            measured = harness.stamp() | asyncio.run(soak(url, server, args))
    if args.output:
        harness.keep(measured, args.output)
    print(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
