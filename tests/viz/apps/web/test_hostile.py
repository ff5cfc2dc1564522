"""What a visitor, a name or an address may try: markup, odd values, bombs, broken messages."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import struct
import typing
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from matplotlib.figure import Figure

from viz.apps.core.snapshot import snapshot
from viz.apps.web import gate
from viz.apps.web.landing import LESSONS, QUESTIONS
from viz.apps.web.page import Page
from viz.apps.widgets import Cards, Picture, Table
from viz.apps.widgets.tree import close_tree, tree
from viz.export import save

MARKUP = "<img src=x onerror='alert(1)'>"


def pages(view: Any) -> Iterator[str]:
    """All that a view shows as HTML, and the page exported from it."""
    yield snapshot(view)
    for widget in tree(view):
        if isinstance(widget, ipywidgets.HTML):
            yield widget.value


@pytest.mark.parametrize("name", [*QUESTIONS, *LESSONS])
def test_no_name_and_no_address_becomes_markup(
    world: Any, tmp_path: Path, monkeypatch: Any, name: str
) -> None:
    """Runs with markup for a name, and an address with markup in every field that takes words."""
    run = shutil.copytree(world.anchored, tmp_path / MARKUP)
    monkeypatch.setenv("QUERY_STRING", f"app={name}")
    page = Page([str(run), str(world.guided)], None, str(world.root))
    assert page.apps, page.note.value
    fields = typing.get_type_hints(type(page.apps[name].state))
    for field in [None, *(field for field, kind in fields.items() if kind is str)]:
        if field is not None:
            page.go(f"app={name}&{field}={MARKUP}")
        if name in page.apps:
            page.apps[name].wait()
        for html in pages(page.view):
            assert "<img src=x" not in html, field
        page.go(f"app={name}")
    for app in page.apps.values():
        app.close()
    close_tree(page.view)


@pytest.mark.parametrize("name", [*QUESTIONS, *LESSONS])
def test_odd_values_in_an_address_are_a_sentence(world: Any, monkeypatch: Any, name: str) -> None:
    """Words that are no choice and numbers beyond every control; the next address works again."""
    monkeypatch.setenv("QUERY_STRING", f"app={name}")
    page = Page([str(world.anchored)], None, str(world.root))
    hints = typing.get_type_hints(type(page.apps[name].state))
    fields = dataclasses.fields(page.apps[name].state)
    kept_out = {field.name for field in fields if field.metadata}
    odd = {str: "nope", int: "-7", float: "1e300", bool: "7", tuple[float, ...]: "[1e999]"}
    for field in {*hints} - kept_out:
        page.go(f"app={name}&{field}={odd.get(hints[field], '[[]]')}")
        if name in page.apps:
            page.apps[name].wait()
        page.go(f"app={name}")
        page.apps[name].wait()
        assert page.note.value == "", field
    for app in page.apps.values():
        app.close()
    close_tree(page.view)


def test_exported_pages_hold_names_as_text() -> None:
    cards, table, image = Cards(label=MARKUP), Table(), Picture(image=b"x", label=MARKUP)
    cards.put([b"x"], [{"kind": "plain", "title": MARKUP, "sub": MARKUP, "alt": f"'>{MARKUP}"}])
    table.put([MARKUP], [[MARKUP]], MARKUP)
    view = ipywidgets.VBox([cards, table, image])
    assert "<img src=x" not in snapshot(view)
    close_tree(view)


def test_drawings_hold_names_as_outlines(tmp_path: Path) -> None:
    figure = Figure()
    figure.subplots().set_title(MARKUP, gid=f"'>{MARKUP}", url="javascript:alert(1)")
    (drawing,) = save(figure, tmp_path / "x", ["svg"])
    text = drawing.read_text(encoding="utf-8")
    assert "<img" not in text
    assert "<script" not in text


def test_a_message_has_room_for_its_parts() -> None:
    def message(parts: int, length: int) -> bytes:
        return parts.to_bytes(8, "little") + bytes(length - 8)

    assert gate.is_framed(message(6, 100))
    for wrong in ("{}", b"", b"short", message(2**60, 100), message(13, 100), message(0, 100)):
        assert not gate.is_framed(wrong)


def bomb() -> bytes:
    """A PNG of some hundred bytes that claims 50,000 x 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return struct.pack("!I", len(data)) + whole + struct.pack("!I", zlib.crc32(whole))

    header = struct.pack("!IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    content = chunk(b"IDAT", zlib.compress(bytes(10_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + content + chunk(b"IEND", b"")


@pytest.mark.slow
def test_bombs_against_the_running_server(world: Any) -> None:
    """A picture that claims gigabytes, one that is no picture, and a message of 2^24 parts."""
    pytest.importorskip("voila")
    from benchmarks.visitors import fetch, memory, serving, visit

    async def attack(url: str, server: Any) -> None:
        async with visit(url, 3, "app=ranks&k=5") as visitor:
            await visitor.until(lambda: bool(visitor.model("chosen")) and visitor.pictures > 1)
            before = memory(server)["visit"]
            for content in (bomb(), b"<svg onload='alert(1)'/>", bytes(2**20)):
                await visitor.upload(content, MARKUP, lambda: bool(visitor.errors))
                assert MARKUP not in str(visitor.errors)
                assert "cannot be read" in visitor.errors[0] or "pixels" in visitor.errors[0]
                before_search = visitor.pictures
                await visitor.search()  # the app goes on
                await visitor.until(
                    lambda seen=before_search: visitor.pictures > seen and not visitor.errors
                )
            assert memory(server)["visit"] - before < 200
            assert visitor.foreign == []
            await visitor.send_bytes((2**24).to_bytes(8, "little") + bytes(100))
            with pytest.raises(ConnectionError):
                await visitor.until(lambda: False)
            assert visitor.close_code == 1007
            assert (await fetch(url)).code == 503  # the visit goes on, and nobody else gets in
        await asyncio.sleep(0.5)
        async with visit(url, 4) as another:
            assert another.kernel

    # In a thread: this one may have a loop already, Playwright's of the tests in a browser.
    with serving(world.anchored, world.root, 1) as (url, server), ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, attack(url, server)).result()
