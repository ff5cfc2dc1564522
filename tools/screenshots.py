"""Make ``docs/images/app-*.png``: every app on drawn people, as a browser shows it.

Needs Chromium on the path and a run trained on a synthetic set; pictures of real people are
refused, since these go into the repository.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mfa.runs import open_run

ROOT = Path(__file__).resolve().parents[1]
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--enable-unsafe-swiftshader",
)
LONG = 240_000
"""Milliseconds a kernel may take to show its first picture."""


def ranks(page: Any) -> None:
    """A query of the worst, and its wrong first answer explained."""
    label = page.locator(".mfa-cards-label").nth(1)
    before = label.inner_text()
    page.get_by_label("Queries", exact=True).select_option("worst AP first")
    while label.inner_text() == before:
        page.wait_for_timeout(100)
    page.wait_for_timeout(1500)
    page.locator(".mfa-cards-list").nth(1).locator("button").nth(1).click()
    page.wait_for_selector("text=/cosine -?0/")


def attention(page: Any) -> None:
    """A place found again by the lens."""
    page.locator(".mfa-touchable").first.click(position={"x": 64, "y": 80})
    page.wait_for_selector("text=The same place in the other picture")


def switchboard(page: Any) -> None:
    """One branch off."""
    page.get_by_label("branch1 on").click()


def occlusion(page: Any) -> None:
    """The legs hidden by a car."""
    page.get_by_label("Scene").select_option("legs hidden")


def failures(page: Any) -> None:
    """Near misses."""
    page.get_by_label("Group").select_option("near miss")


def embedding(page: Any) -> None:
    """Colours by answer."""
    page.get_by_label("Colour by").select_option("right or wrong")


def nothing(page: Any) -> None:
    """As it opens."""


ACTS: dict[str, Callable[[Any], None]] = {
    "ranks": ranks,
    "attention": attention,
    "switchboard": switchboard,
    "occlusion": occlusion,
    "failures": failures,
    "embedding": embedding,
    "browser": nothing,
    "ablation": nothing,
    "cockpit": nothing,
    **dict.fromkeys(
        ("triplets", "smoothing", "pk_batch", "gem", "bnneck", "stripes", "ranked_list"), nothing
    ),
    "reciprocal": nothing,
}
"""What is done on each page before its picture is taken."""


@contextlib.contextmanager
def server(run: Path, root: Path, dark: bool) -> Iterator[str]:
    """The apps of a run, served until the block ends."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    command = [
        *(sys.executable, "-c", "from viz.cli import main; main()", "app", "--run", str(run)),
        *("--data-root", str(root), "--port", str(port), *(["--dark"] if dark else [])),
    ]
    process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 240
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the server did not start")
            time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        for sent in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, sent)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)


def main() -> None:
    """Serve, open each app, keep its picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=ROOT / "runs/quickstart/run")
    parser.add_argument("--data-root", type=Path, default=ROOT / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/images")
    parser.add_argument("--only", nargs="*", default=list(ACTS))
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1100)
    options = parser.parse_args()
    trained_on = str(open_run(options.run).checkpoint.facts.get("dataset"))
    if not trained_on.startswith("synthetic"):
        raise SystemExit(f"{options.run} was trained on {trained_on}: only drawn people are shown")
    browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if browser is None:
        raise SystemExit("no Chromium on the path")
    from playwright.sync_api import sync_playwright

    options.out.mkdir(parents=True, exist_ok=True)
    with server(options.run, options.data_root, options.dark) as url, sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=browser, args=list(FLAGS))
        for name in options.only:
            page = opened.new_page(viewport={"width": options.width, "height": 2000})
            page.set_default_timeout(120_000)
            page.route(
                lambda link: "127.0.0.1" not in link and not link.startswith(("data:", "blob:")),
                lambda route: route.fulfill(status=200, body=""),
            )
            page.goto(f"{url}/?app={name}", wait_until="commit", timeout=LONG)
            app = page.locator(".mfa-app").first
            app.wait_for(timeout=LONG)
            page.wait_for_timeout(2500)
            ACTS[name](page)
            page.wait_for_timeout(3000)
            path = options.out / f"app-{name.replace('_', '-')}.png"
            app.screenshot(path=path)
            print(path)
            page.close()
        opened.close()


if __name__ == "__main__":
    main()
