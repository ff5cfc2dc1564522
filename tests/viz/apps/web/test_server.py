"""The web page: addresses, tokens, who gets in, and what an address opens."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mfa.cli
from mfa.errors import InputError
from viz.apps.core.own_picture import OwnPicture
from viz.apps.web import gate
from viz.apps.web.landing import LESSONS, QUESTIONS
from viz.apps.web.page import Page
from viz.apps.web.server import Address, address, is_local, notebook
from viz.apps.widgets.tree import close_tree
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
    assert address("127.0.0.1", 80, "", "user/me").url == "http://127.0.0.1:80/user/me/"
    for token in ("", "short"):
        with pytest.raises(InputError, match="token"):
            address("0.0.0.0", 80, token)


SERVER = (
    "import sys; from viz.apps.web.server import Address, serve\n"
    "serve(sys.argv[1], Address('127.0.0.1', int(sys.argv[2]), sys.argv[3], sys.argv[4]), "
    "browser=False, dark=False, idle=1, visits=1)"
)
EMPTY = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})

Ask = Callable[..., tuple[int, dict[str, str], str]]


@pytest.fixture(scope="module", params=[("", "/"), ("a-token-of-the-test", "/hub/me/")])
def served(request: Any) -> Iterator[tuple[Address, Ask]]:
    """A server for one visit at most, without a token and with one below a prefix."""
    pytest.importorskip("voila")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    where = Address("127.0.0.1", port, *request.param)
    command = [sys.executable, "-c", SERVER, EMPTY, str(port), where.token, where.base]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and text of one answer; redirects are not followed."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if where.token:
            names.setdefault("Authorization", f"token {where.token}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.request(method, path, headers=names)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            return answer.status, dict(answer.getheaders()), text
        finally:
            connection.close()

    try:
        deadline = time.monotonic() + 300
        while True:
            try:
                ask(f"{where.base}voila/static/voila.js")
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
        yield where, ask
    finally:
        process.terminate()
        process.wait(60)


def test_what_is_no_page_is_a_sentence(served: tuple[Address, Ask]) -> None:
    where, ask = served
    base = where.base
    odd = "ranks logout voila/files/x voila/render/x api/contents api/terminals tree %2e%2e/x"
    for path in (*odd.split(), "voila/templates/../../etc/passwd", "voila/templates/nope/x"):
        status, headers, text = ask(base + path)
        assert status == 404, path
        assert "no such page" in text
        assert "Traceback" not in text
        assert "mfa" not in headers.get("Server", "")
    for method in ("POST", "PUT", "DELETE"):
        assert ask(f"{base}api/kernels", method)[0] in (403, 404, 405)
    status, _, text = ask(base, "FOO")
    assert (status, "asked for by GET" in text) == (405, True)


def test_large_bodies_and_unframed_messages_are_refused(served: tuple[Address, Ask]) -> None:
    """Before they are read: nobody needs a token to send them."""
    where, ask = served
    head = (
        f"POST {where.base}login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", where.port), 60) as sent:
        sent.sendall(head.encode())
        assert sent.recv(100).startswith(b"HTTP/1.1 400")
    channels = f"{where.base}api/kernels/0-0/channels"
    for framing in ("", "v2.kernel.websocket.jupyter.org"):
        status, _, text = ask(channels, Upgrade="websocket", Sec_WebSocket_Protocol=framing)
        assert status == 400
        assert "framed by" in text


def test_every_answer_has_its_headers(served: tuple[Address, Ask]) -> None:
    where, ask = served
    for path in ("", "nothing", "voila/static/voila.js"):
        _, headers, _ = ask(where.base + path, Sec_Fetch_Site="cross-site")
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path


def test_strangers_names_get_no_answer_without_a_token(served: tuple[Address, Ask]) -> None:
    where, ask = served
    if where.token:
        pytest.skip("this server has a token, which no stranger knows")
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]", "a@b"):
        for path in ("", "voila/static/voila.js", "api/kernels/0/channels"):
            status, _, text = ask(where.base + path, Host=host)
            assert status in (400, 403), (host, path)
            assert "kernelId" not in text


def test_a_foreign_page_starts_no_kernel(served: tuple[Address, Ask]) -> None:
    where, ask = served
    for headers in (
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "document"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Dest": "document"},
        {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Dest": "iframe"},
        {"Referer": "https://evil.example/page"},
        {"Origin": "https://evil.example"},
    ):
        status, _, text = ask(where.base, **headers)
        assert status == 200
        assert "kernelId" not in text
        assert "from another page" in text


def test_a_visit_and_the_one_too_many(served: tuple[Address, Ask]) -> None:
    """The theme of the address is not written into the page; the second visit gets a sentence."""
    where, ask = served
    attack = urllib.parse.quote('"><script>alert(1)</script>')
    status, headers, text = ask(f"{where.base}?theme={attack}&template=nope")
    assert status == 200
    assert "<script>alert(1)" not in text
    assert "theme-light" in text
    assert headers["Referrer-Policy"] == "same-origin"
    assert not re.search(r"<(link|script)[^>]*https?://", text)  # nothing from elsewhere
    kernel = re.search(r'"kernelId": "([^"]+)"', text)
    assert kernel
    for _ in range(3):
        status, _, text = ask(where.base)
        assert status == 503
        assert "no memory for one more" in text
    assert ask(f"{where.base}api/kernels/{kernel[1]}")[0] == 200
    secret = SimpleCookie(headers["Set-Cookie"])["_xsrf"].value
    status, _, _ = ask(  # as the page does when it is left
        f"{where.base}voila/api/shutdown/{kernel[1]}?_xsrf={secret}",
        "POST",
        Cookie=f"_xsrf={secret}",
    )
    assert status in (204, 403)


def test_the_token_leaves_the_address(served: tuple[Address, Ask]) -> None:
    where, ask = served
    if not where.token:
        pytest.skip("this server has no token")
    assert ask(where.base, Authorization="none")[0] == 302  # to the login
    status, headers, _ = ask(f"{where.base}?token={where.token}&app=ranks", Authorization="none")
    assert status == 302
    assert headers["Location"] == f"{where.base}?app=ranks"
    assert "Set-Cookie" in headers
    wrong = ask(f"{where.base}?token=another-one", Authorization="none")
    assert "/login" in wrong[1]["Location"]


def test_the_gate_knows_its_paths_and_names() -> None:
    assert gate.is_known("/hub/me/", "/hub/me/")
    assert gate.is_known("/api/kernels/a-b/channels", "/")
    assert gate.is_known("/voila/labextensions/%40jupyter-widgets/a.js", "/")
    for path in (
        "/voila/static/%2e%2e/x",
        "/voila/static/../x",
        "/voila/templates/a/static/..",
        "/api/kernels",
        "/x",
    ):
        assert not gate.is_known(path, "/")
    assert not gate.is_known("/other/", "/hub/me/")
    for host in ("localhost:8866", "127.0.0.1", "[::1]:80"):
        assert gate.is_own_name(host, "127.0.0.1")
    for host in ("", "localhost.evil.example", "127.0.0.1@evil.example", "[", "evil"):
        assert not gate.is_own_name(host, "127.0.0.1")
    assert gate.most_visits() >= 1


def test_the_notebook_opens_a_page_that_computes_where_the_command_says(
    world: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    run = shutil.copytree(world.anchored, tmp_path / "a'b")
    where = {"runs": [str(run)], "data_root": str(world.root), "start": "ranks"}
    (cell,) = json.loads(notebook(**where, device="cpu", precision="bfloat16"))["cells"]
    monkeypatch.delenv("QUERY_STRING", raising=False)
    names: dict[str, Any] = {}
    exec("".join(cell["source"]), names)
    app = names["page"].apps["ranks"]
    app.wait()
    opened = app.sessions[0].run
    assert (str(opened.device), opened.precision) == ("cpu", "bfloat16")
    app.close()
    close_tree(names["page"].view)


@pytest.mark.parametrize("name", ["", "ranks", "triplets", "nonsense", "training"])
def test_an_address_opens_what_it_names(world: Any, monkeypatch: Any, name: str) -> None:
    monkeypatch.setenv("QUERY_STRING", f"app={name}")
    shown = Page([str(world.anchored)], None, str(world.root), local=False).view
    top, note, place, _ = shown.children
    assert "?app=ranks" in top.value
    if name == "":
        (first,) = place.children
        assert all(f"?app={other}" in first.value for other in (*LESSONS, "ranks"))
        assert "training" not in first.value  # a foreign visitor starts no programs
    elif name in ("nonsense", "training"):
        assert "there is no app" in note.value
        assert place.children == ()
    else:
        assert "mfa-app" in place.children[0]._dom_classes
    close_tree(shown)


def test_one_kernel_serves_all_apps_and_the_address_holds_the_state(
    world: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("QUERY_STRING", "app=ranks&query=3&k=5&theme=x")
    made = Page([str(world.anchored)], None, str(world.root))
    ranks = made.apps["ranks"]
    ranks.wait()
    assert (ranks.state.query, ranks.state.k) == (3, 5)
    assert made.address.query == "app=ranks&query=3&k=5"
    ranks.set(k=7)
    ranks.wait()
    assert made.address.query == "app=ranks&query=3&k=7"
    made.go("app=triplets&anchor=4")
    assert made.apps["triplets"].state.anchor == 4
    made.go("app=attention&position=2")
    assert made.apps["attention"].sessions[0] is ranks.sessions[0]  # one network in memory
    made.go("app=ranks&query=2")  # Back: the same app, in another state
    ranks.wait()
    assert made.apps["ranks"] is ranks
    assert made.place.children == (ranks.view,)
    assert ranks.state.query == 2
    ranks.set(own=OwnPicture(np.zeros((8, 8, 3), np.uint8), "me.jpg"))
    ranks.wait()
    assert "address does not hold your picture" in made.note.value
    made.go("app=ranks&query=x")
    assert "address says query=" in made.note.value
    made.go("app=ranks&query=-1&k=1000000000")
    ranks.wait()
    assert ranks.error
    for app in made.apps.values():
        app.close()
    close_tree(made.view)


def test_the_first_page_names_the_runs(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("QUERY_STRING", "app=")
    runs = [str(world.anchored), str(world.guided)]
    shown = Page(runs, None, str(world.root), start="triplets").view
    (first,) = shown.children[2].children
    assert "<h1" in first.value
    for name in (world.anchored, world.guided):
        assert f"{name.parent.name}/{name.name}" in first.value
    assert "the others the first" in first.value
    close_tree(shown)


def printed(code: str, *arguments: object) -> str:
    """The last word that a program prints."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def test_the_first_page_and_the_server_do_without_pytorch(world: Any) -> None:
    """The server once kept the runs that it had opened to check them."""
    page = "import sys, viz.apps.web.page as p; p.Page(['a/run']); print('torch' in sys.modules)"
    assert printed(page) == "False"
    server = (
        "import sys, viz.apps.web.server as server\nfrom viz.cli.app import main\n"
        "server.serve = lambda *_, **__: print('torch' in sys.modules or 'matplotlib' in "
        "sys.modules)\nmain(sys.argv[1:])"
    )
    assert printed(server, "--run", world.anchored, "--data-root", world.root) == "False"


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

    assert set(QUESTIONS) == set(viz.apps.APPS)
    class_work = {"predict", "quiz", "quiz_difference"}  # of notebooks, not of the page
    assert set(LESSONS) == set(viz.lessons.__all__) - class_work
