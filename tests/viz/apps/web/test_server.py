"""The web page: addresses, tokens, and what an address opens."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

import pytest

import mfa.cli
from mfa.errors import InputError
from viz.apps.web.page import LESSONS, WORDS, page
from viz.apps.web.server import address, is_local, notebook
from viz.cli import COMMANDS


def test_addresses_of_this_machine_need_no_token_and_others_do() -> None:
    assert is_local("127.0.0.1")
    assert is_local("::1")
    assert is_local("localhost")
    assert not is_local("0.0.0.0")
    assert not is_local("example.org")
    assert address("127.0.0.1", 80, None).token == ""
    made = address("0.0.0.0", 80, None).token
    assert len(made) >= 24
    assert made != address("0.0.0.0", 80, None).token
    assert made in address("0.0.0.0", 80, made).url
    assert made not in address("127.0.0.1", 80, None).url
    assert address("::1", 80, "").url == "http://[::1]:80/"
    assert address("0.0.0.0", 80, made).url.startswith(f"http://{socket.gethostname()}:80/?token=")
    for token in ("", "short"):
        with pytest.raises(InputError, match="token"):
            address("0.0.0.0", 80, token)


def landed(url: str, process: subprocess.Popen[bytes]) -> str:
    """Where a visitor of ``url`` ends, once the server answers at all."""
    deadline = time.monotonic() + 600
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return str(answer.url)
        except urllib.error.URLError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_the_server_lets_in_only_who_knows_the_token() -> None:
    pytest.importorskip("voila")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    where = address("127.0.0.1", port, "a-token-of-the-test")
    content = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    script = (
        "from viz.apps.web.server import Address, serve\n"
        f"serve({content!r}, {where!r}, browser=False, dark=False, idle=1)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.DEVNULL)
    try:
        plain = f"http://127.0.0.1:{port}/"
        for refused in (plain, f"{plain}?token=another-one"):
            assert "/login" in landed(refused, process)
        assert landed(where.url, process) == where.url
        browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(jar := CookieJar())
        )
        with browser.open(where.url, timeout=120) as answer:
            page = answer.read().decode()
        assert "theme-light" in page
        assert not re.search(r"<(link|script)[^>]*https?://", page)  # nothing from elsewhere
        kernel = re.search(r'"kernelId": "([^"]+)"', page)
        assert kernel
        secret = next(cookie.value for cookie in jar if cookie.name == "_xsrf")
        leave = f"{plain}voila/api/shutdown/{kernel[1]}"  # as the page does when it is left
        with browser.open(leave, urllib.parse.urlencode({"_xsrf": secret}).encode()) as answer:
            assert answer.status == 204
        with pytest.raises(urllib.error.HTTPError, match="404"):
            browser.open(f"{plain}api/kernels/{kernel[1]}")
    finally:
        process.terminate()
        process.wait(30)


def test_the_notebook_holds_one_cell_that_opens_the_page() -> None:
    made = json.loads(notebook(["/a'b/run"], None, "/data", "ranks", True))
    (cell,) = made["cells"]
    compile("".join(cell["source"]), "cell", "exec")
    assert repr("/a'b/run") in "".join(cell["source"])


def closed(widget: Any) -> None:
    from viz.apps.widgets.tree import close_tree

    close_tree(widget)


@pytest.mark.parametrize("name", ["", "ranks", "triplets", "nonsense", "training"])
def test_an_address_opens_what_it_names(world: Any, monkeypatch: Any, name: str) -> None:
    monkeypatch.setenv("QUERY_STRING", f"app={name}")
    shown = page([str(world.anchored)], None, str(world.root), local=False)
    top, rest = shown.children
    assert "?app=ranks" in top.value
    if name == "":
        assert all(f"?app={other}" in rest.value for other in (*LESSONS, "ranks"))
        assert "training" not in rest.value  # a foreign visitor starts no programs
    elif name in ("nonsense", "training"):
        assert "there is no app" in rest.value
    else:
        assert "mfa-app" in rest._dom_classes
    closed(shown)


def test_all_apps_is_the_page_of_links_wherever_one_began(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("QUERY_STRING", "app=")
    runs = [str(world.anchored), str(world.guided)]
    shown = page(runs, None, str(world.root), start="triplets")
    assert "<h1" in shown.children[1].value
    for name in (world.anchored, world.guided):
        assert f"{name.parent.name}/{name.name}" in shown.children[1].value
    assert "the others the first" in shown.children[1].value
    closed(shown)


def test_the_page_of_links_does_without_pytorch() -> None:
    code = "import sys, viz.apps.web.page as p; p.page(['a/run']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "name a run"),
        (["--run", "nowhere"], "nowhere"),
        (["chess", "--run", "RUN"], "no app 'chess'"),
        (["--run", "RUN", "--host", "0.0.0.0", "--token", "x"], "16 characters"),
    ],
)
def test_bad_calls_are_one_sentence(world: Any, capsys: Any, argv: list[str], words: str) -> None:
    root = ["--data-root", str(world.root)]
    given = [str(world.anchored) if word == "RUN" else word for word in argv]
    assert mfa.cli.run("mfa-viz", COMMANDS, ["app", *given, *root]) == 2
    assert words in capsys.readouterr().err


def test_every_app_is_on_the_page() -> None:
    import viz

    assert set(WORDS) == set(viz.apps.APPS)
    assert set(LESSONS) == set(viz.lessons.__all__)
