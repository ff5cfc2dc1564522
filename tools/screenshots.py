"""Make ``docs/images/app-*.png``: every app on drawn people, as a browser shows it.

Needs Chromium on the path and a run trained on a synthetic set; pictures of real people are
refused, since these go into the repository. The training monitor's picture trains for a few epochs,
in a folder that is removed afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import io
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

from PIL import Image, ImageChops, ImageOps

from mfa.runs.run import open_run

ROOT = Path(__file__).resolve().parents[1]
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--enable-unsafe-swiftshader",
)
LONG = 600_000
"""Milliseconds a kernel may take to show its first picture, on a busy machine."""

EPOCHS = 4
"""Of the training in the training monitor's picture."""


def ranks(page: Any) -> None:
    """A query of the worst, and its wrong first answer explained."""
    choose(page, "Queries", "worst AP first")
    page.locator(".mfa-cards-list").nth(1).locator("button").nth(1).click()
    page.wait_for_selector("text=/cosine -?0/")


def attention(page: Any) -> None:
    """Beside an untrained network, a place found in another picture, and all places that match."""
    person(page, 8)
    untrained(page)
    place(page, 90)
    slide(page, "Lines per branch", "8")


def person(page: Any, position: int) -> None:
    """Choose a person of the attention explorer's list."""
    page.locator(".mfa-cards-list").first.locator("button").nth(position).click()
    settled(page)


def untrained(page: Any) -> None:
    """Show an untrained network beside, or take it away."""
    page.get_by_label("Show untrained network beside").click()
    settled(page)


def place(page: Any, height: int) -> None:
    """Touch the person at ``height`` pixels of the picture."""
    page.locator(".mfa-touchable").first.click(position={"x": 64, "y": height})
    page.wait_for_selector("text=The same place in the other picture")


def branches(page: Any) -> None:
    """One branch off, another at half weight."""
    page.get_by_label("branch1 on").click()
    slide(page, "branch3", "0.50")


def occlusion(page: Any) -> None:
    """A stroke over the clothes of somebody with others behind."""
    choose(page, "Scene", "others behind")
    box = page.locator(".mfa-touchable").first.bounding_box()
    left, top = box["x"], box["y"]
    page.mouse.move(left + 0.35 * box["width"], top + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(left + 0.65 * box["width"], top + 0.55 * box["height"], steps=8)
    page.mouse.up()


def failures(page: Any) -> None:
    """Wrong answers in front of the same wall."""
    choose(page, "Group", "same background")


def threshold(page: Any) -> None:
    """One pair in a hundred accepted, and two strangers who are taken for one person explained."""
    choose(page, "False accepts", "1 pair in 100")
    page.locator(".mfa-cards-list").nth(1).locator("button").first.click()


def embedding(page: Any) -> None:
    """Everybody the lasso caught on one plane, marked on all."""
    box = page.locator(".mfa-app canvas").first.bounding_box()
    page.locator(".mfa-app button[title*=asso]").first.click()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    for x, y in ((0.5, 0.05), (0.6, 0.3), (0.5, 0.5), (0.2, 0.45), (0.1, 0.1)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
    page.mouse.up()
    page.wait_for_selector("text=pictures selected")


def dataset(page: Any) -> None:
    """One camera's query pictures."""
    page.get_by_label("query, cam 3: ").click()


def training(page: Any) -> None:
    """A few epochs from random weights."""
    page.get_by_label("Epochs", exact=True).fill(f"{EPOCHS}")
    page.get_by_text("Start or resume").click()
    page.wait_for_selector(f"text=epoch {EPOCHS}", timeout=6 * LONG)
    page.wait_for_selector("text=not running", timeout=LONG)


def triplets(page: Any) -> None:
    """An anchor with work to do."""
    slide(page, "Anchor", "9")


def stripes(page: Any) -> None:
    """On the way."""
    slide(page, "Training step", "12")


def nothing(page: Any) -> None:
    """As it opens."""


ACTS: dict[str, Callable[[Any], None]] = {
    "ranks": ranks,
    "attention": attention,
    "branches": branches,
    "occlusion": occlusion,
    "ablation": nothing,
    "training": training,
    "dataset": dataset,
    "embedding": embedding,
    "failures": failures,
    "threshold": threshold,
    "triplets": triplets,
    "ranked_list": nothing,
    "stripes": stripes,
}
"""What is done on each page before its picture is taken; the documents show these."""

FILM: tuple[Callable[[Any], None], ...] = (
    untrained,
    lambda page: person(page, 8),
    lambda page: choose(page, "Explain", "other picture against the nearest wrong one"),
)
"""What is done in the attention explorer between the pictures of the README's moving picture."""

LOWER = "text=Touch a place to find it"
"""Where the lower part of the attention explorer begins, which the moving picture leaves out."""

OTHERS = ("smoothing", "pk_batch", "gem", "bnneck", "reciprocal")
"""Lessons that can be asked for as well; they are shown as they open."""


def choose(page: Any, label: str, option: str) -> None:
    """Choose from a drop-down list, and wait for the picture."""
    page.get_by_label(label, exact=True).select_option(option)
    settled(page)


def slide(page: Any, label: str, value: str) -> None:
    """Write a number beside a slider."""
    readout = page.locator(f".widget-hslider:has(label:text-is('{label}')) .widget-readout").first
    readout.fill(value)
    readout.press("Enter")


def settled(page: Any) -> None:
    """Until the app stands still."""
    before, busy = "", True
    deadline = time.monotonic() + LONG / 1000
    while busy and time.monotonic() < deadline:
        page.wait_for_timeout(1500)
        now = page.locator(".mfa-app").first.inner_html()
        busy, before = now != before or page.locator(".mfa-progress:visible").count() > 0, now


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


def shown(page: Any, hide: str) -> Image.Image:
    """The app as a picture, cut to what is on it; ``hide`` is taken off the paths it shows."""
    page.evaluate(
        """hide => {
            const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (texts.nextNode()) {
                texts.currentNode.data = texts.currentNode.data.replaceAll(hide, "");
            }
            document.activeElement.blur();
        }""",
        hide,
    )
    data = page.locator(".mfa-app").first.screenshot()
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    ground = Image.new("RGB", picture.size, picture.getpixel((0, picture.height - 1)))
    left, top, right, bottom = ImageChops.difference(picture, ground).getbbox() or (0, 0, 1, 1)
    room = 8
    ends = min(picture.width, right + room), min(picture.height, bottom + room)
    return picture.crop((max(0, left - room), max(0, top - room), *ends))


def corner(picture: Image.Image) -> Any:
    """The colour of a picture's upper left corner: the page's own."""
    return picture.getpixel((0, 0))


def film(page: Any, hide: str, path: Path) -> None:
    """The attention explorer while somebody uses it: a picture after each step, as one file."""
    frames = []
    for step in FILM:
        step(page)
        settled(page)
        app, below = (page.locator(place).first.bounding_box() for place in (".mfa-app", LOWER))
        picture = shown(page, hide)
        frames.append(picture.crop((0, 0, picture.width, round(below["y"] - app["y"]) - 14)))
    size = max(f.width for f in frames), max(f.height for f in frames)
    sheets = [ImageOps.pad(f, size, color=corner(f), centering=(0, 0)) for f in frames]
    sheets[0].save(path, save_all=True, append_images=sheets[1:], duration=2500, loop=0, quality=70)


def main() -> None:
    """Serve, open each app, keep its picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=ROOT / "runs/quickstart/run")
    parser.add_argument("--data-root", type=Path, default=ROOT / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/images")
    parser.add_argument(
        "--only", nargs="*", default=[*ACTS, "film"], choices=[*ACTS, *OTHERS, "film"]
    )
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1100)
    options = parser.parse_args()
    run: Path = options.run.resolve()
    trained_on = str(open_run(run).checkpoint.facts.get("dataset"))
    if not trained_on.startswith("synthetic"):
        raise SystemExit(f"{options.run} was trained on {trained_on}: only drawn people are shown")
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if found is None:
        raise SystemExit("no Chromium on the path")
    if "training" in options.only and (run.parent / "training").exists():
        raise SystemExit(f"{run.parent / 'training'} holds a training: move it away first")
    from playwright.sync_api import sync_playwright

    options.out.mkdir(parents=True, exist_ok=True)
    with server(run, options.data_root, options.dark) as url, sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=list(FLAGS))
        for name in options.only:
            page = opened.new_page(viewport={"width": options.width, "height": 2400})
            page.set_default_timeout(LONG)
            app = "attention" if name == "film" else name
            page.goto(f"{url}/?app={app}", wait_until="commit", timeout=LONG)
            page.locator(".mfa-app").first.wait_for(timeout=LONG)
            settled(page)
            if name == "film":
                film(page, f"{run.parents[2]}/", options.out / "app-attention.webp")
                continue
            ACTS.get(name, nothing)(page)
            settled(page)
            path = options.out / f"app-{name.replace('_', '-')}.png"
            picture = shown(page, f"{run.parents[2]}/")
            # The rule that keeps small coloured areas, which the most frequent colours would not.
            small = picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            small.save(path, optimize=True)
            print(f"{path} {small.size} {path.stat().st_size // 1000} kB", flush=True)
            page.goto("about:blank")  # its kernel ends
            page.close()
        opened.close()
    if "training" in options.only:
        shutil.rmtree(run.parent / "training", ignore_errors=True)


if __name__ == "__main__":
    main()
