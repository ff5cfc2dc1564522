"""A browser, and the apps as they are served; skipped with the reason where there is none."""

from __future__ import annotations

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

import pytest
import torch

from mfa.config import Config, DataConfig, ModelConfig
from mfa.datasets import load_dataset
from mfa.models import build_model
from mfa.presets import variant
from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, save_checkpoint
from mfa.synthetic import SyntheticConfig, write

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--enable-unsafe-swiftshader",
)
START = 180
"""Seconds a server and its kernel may take on a busy machine."""


@pytest.fixture(scope="session")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no Chromium on the path: the apps are not tried in a browser")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of 1280 x 900 that reaches this machine only; console errors fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    opened = context.new_page()
    opened.route(
        lambda url: "127.0.0.1" not in url and not url.startswith(("data:", "blob:")),
        lambda route: route.fulfill(status=200, body=""),
    )
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda entry: errors.append(entry.text) if entry.type == "error" else None)
    opened.errors = errors
    yield opened
    context.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drawn people in ``data`` and two runs of random weights."""
    folder = tmp_path_factory.mktemp("browser")
    write(
        folder / "data",
        SyntheticConfig(train_ids=4, test_ids=6, train_images=4, test_images=4, distractors=4),
    )
    data = load_dataset("synthetic", folder / "data")
    config = Config(
        model=ModelConfig(trunk="resnet10", width=8, stride=8),
        data=DataConfig(height=64, width=32, pids=2, images=2, pad=2),
    )
    for name in ("anchored", "guided"):
        torch.manual_seed(1)
        chosen = variant(config, name)  # type: ignore[arg-type]
        network = build_model(chosen.model, len(data.train_pids))
        tensors = {f"model.{key}": value for key, value in network.state_dict().items()}
        facts: dict[str, Any] = {"dataset": "synthetic", "fingerprint": data.fingerprint}
        (folder / name).mkdir()
        made = Checkpoint(chosen, 1, len(data.train_pids), tensors, facts)
        save_checkpoint(made, folder / name / CHECKPOINT)
    return folder


@contextlib.contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[str]:
    """A server in a process group of its own, which is gone at the end, its kernels too."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
    try:
        deadline = time.monotonic() + START
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        for sent in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, sent)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    return running


@pytest.fixture(scope="session")
def voila(served: Path, tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[str]:
    port = free_port()
    command = [
        *(sys.executable, "-c", "from viz.cli import main; main()", "app"),
        *("--run", str(served / "anchored"), str(served / "guided")),
        *("--data-root", str(served / "data"), "--port", str(port)),
    ]
    with running(command, port, tmp_path_factory.mktemp("voila") / "log") as url:
        yield url


@pytest.fixture(scope="session")
def port() -> int:
    return free_port()


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.fixture
def screenshot(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Any], Path]:
    """Keep what the page looks like, in MFA_SCREENSHOTS or the test's own folder."""
    folder = Path(os.environ.get("MFA_SCREENSHOTS", tmp_path))

    def take(page: Any) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        name = request.node.name.replace("[", "-").replace("]", "").removeprefix("test_")
        path = folder / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return take
