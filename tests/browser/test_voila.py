"""Every app through Voila, in one visit: opened, its main control used, the change read back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.ui


def changed(page: Any, act: Callable[[], Any], read: Callable[[], str], seconds: int = 60) -> str:
    """What ``read`` gives once ``act`` has changed it."""
    before = read()
    act()
    deadline = time.monotonic() + seconds
    while (now := read()) == before:
        assert time.monotonic() < deadline, f"nothing changed; still {before[:200]!r}"
        page.wait_for_timeout(50)
    return now


def slide(page: Any, label: str, value: str) -> None:
    """Write a number beside a slider."""
    readout = page.locator(f".widget-hslider:has(label:text-is('{label}')) .widget-readout").first
    readout.fill(value)
    readout.press("Enter")


def text(page: Any, selector: str, place: int = 0) -> Callable[[], str]:
    return lambda: str(page.locator(selector).nth(place).inner_text())


def use_ranks(page: Any) -> None:
    label = text(page, ".mfa-cards-label", 1)
    changed(page, lambda: page.locator(".mfa-cards-list").nth(0).locator("button").nth(2).click(),
            label)  # fmt: skip
    rows = page.locator(".mfa-cards-list")
    changed(page, lambda: rows.nth(1).locator("button").nth(1).click(), text(page, ".mfa-app"))
    page.wait_for_selector("text=/cosine -?0/")
    page.keyboard.press("Tab")  # a card can be reached and pressed by the keyboard
    focused = page.evaluate("document.activeElement.className")
    assert "mfa-card" in focused
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.getAttribute('aria-pressed') === 'true'")


def use_attention(page: Any) -> None:
    note = text(page, ".mfa-note")
    said = changed(
        page, lambda: page.get_by_label("Method", exact=True).select_option("EigenCAM"), note
    )
    assert "EigenCAM" in said
    page.locator(".mfa-touchable").first.click(position={"x": 30, "y": 60})
    page.wait_for_selector("text=The same place in the other picture")
    page.locator(".mfa-cards-list").first.locator("button").nth(2).click()
    page.wait_for_function("document.querySelector('input[type=number]').value === '2'")


def use_branches(page: Any) -> None:
    numbers = text(page, ".mfa-figures")
    changed(page, lambda: page.get_by_label("branch1 on", exact=True).click(), numbers)
    changed(page, lambda: slide(page, "branch2", "2"), numbers)


def use_occlusion(page: Any) -> None:
    bars = text(page, ".mfa-bars")
    box = page.locator(".mfa-touchable").first.bounding_box()

    def paint() -> None:
        page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.6 * box["height"], steps=5)
        page.mouse.up()

    changed(page, paint, bars)
    changed(page, lambda: page.get_by_label("Scene", exact=True).select_option("legs hidden"), bars)


def use_failures(page: Any) -> None:
    label = text(page, ".mfa-cards-label")
    said = changed(
        page, lambda: page.get_by_label("Group", exact=True).select_option("near miss"), label
    )
    assert "near miss" in said
    count = page.locator(".mfa-cell").last
    count.focus()
    said = changed(page, lambda: page.keyboard.press("Enter"), label)
    assert count.get_attribute("aria-label").split(",")[0] in said


def use_embedding(page: Any) -> None:
    page.wait_for_selector("canvas")
    assert page.locator("canvas").count() >= 5
    words = text(page, ".mfa-note")
    said = changed(page, lambda: slide(page, "People", "4"), words)
    assert "4 people" in said
    find = page.get_by_label("Select", exact=True)
    find.fill("cam 1")
    find.press("Enter")
    page.wait_for_selector("text=pictures selected")
    assert all("cam 1" in words for words in page.locator(".mfa-card small").all_inner_texts())


def use_dataset(page: Any) -> None:
    cards = text(page, ".mfa-cards-list")
    said = changed(
        page, lambda: page.get_by_label("List", exact=True).select_option("query"), cards
    )
    assert "query, cam" in said
    changed(page, page.get_by_label("gallery, junk: ").click, cards)
    assert set(page.locator(".mfa-card span").all_inner_texts()) == {"junk"}


def use_ablation(page: Any) -> None:
    body = text(page, ".mfa-table")
    changed(page, lambda: page.get_by_label("Figure", exact=True).select_option("Rank-1"), body)


def use_training(page: Any) -> None:
    page.get_by_text("Start or resume").click()
    page.wait_for_selector("text=/training, 0 epochs/")
    page.get_by_role("button", name="Stop training", exact=True).click()
    page.wait_for_selector("text=/not running, 0 epochs/")


def use_triplets(page: Any) -> None:
    numbers = text(page, ".mfa-figures")
    page.locator(".noUi-handle").first.focus()
    changed(page, lambda: page.keyboard.press("ArrowRight"), numbers)


USES = {
    name.removeprefix("use_"): use for name, use in dict(globals()).items() if "use_" in name[:4]
}


def go_to(page: Any, app: str) -> None:
    """By the first page, as a visitor would."""
    page.locator("a[href='?app=']").first.click()
    page.locator(f".mfa-doors a[href='?app={app}']").click()
    page.wait_for_selector(".mfa-app", timeout=180_000)


@pytest.fixture(scope="module")
def visit(
    new_page: Callable[..., Any], world: Any, tmp_path_factory: Any, serve: Callable[..., Any]
) -> Iterator[Any]:
    """One visit, whose kernel serves all tests, at the first page."""
    command = [
        *("-c", "from viz.cli import main; main()", "app", "--data-root", str(world.root)),
        *("--run", str(world.anchored), str(world.guided)),
    ]
    page = new_page()
    with serve(command, tmp_path_factory.mktemp("voila") / "log") as url:
        page.goto(url, wait_until="commit", timeout=180_000)
        page.wait_for_selector(".mfa-doors a", timeout=180_000)
        yield page


@pytest.fixture
def page(visit: Any) -> Any:
    """The page of the visit, in its first size."""
    visit.errors.clear()
    visit.set_viewport_size({"width": 1280, "height": 900})
    return visit


def test_landing_page_links_to_every_app(page: Any, screenshot: Any) -> None:
    hrefs = page.eval_on_selector_all(".mfa-doors a", "all => all.map(a => a.getAttribute('href'))")
    assert {f"?app={app}" for app in USES} <= set(hrefs)
    screenshot(page)


@pytest.mark.parametrize("app", USES)
def test_app(page: Any, screenshot: Callable[[Any], None], app: str) -> None:
    go_to(page, app)
    USES[app](page)
    page.wait_for_timeout(300)
    screenshot(page)
    assert page.locator(".mfa-error").count() == 0
    page.set_viewport_size({"width": 420, "height": 900})
    page.wait_for_timeout(200)
    wider = page.evaluate("document.querySelector('.mfa-app').scrollWidth")
    assert wider <= 420 + 2
    assert page.errors == []


def test_back_and_reload_keep_the_state(page: Any) -> None:
    go_to(page, "ranks")
    card = page.locator(".mfa-cards-list").nth(0).locator("button").nth(3)
    query = changed(page, card.click, lambda: page.url).partition("?")[2]
    assert "query=" in query
    page.evaluate("window.same = true")
    page.locator("a[href='?app=dataset']").first.click()
    page.wait_for_selector("text=Dataset browser")
    assert "app=dataset" in page.url
    page.go_back()
    page.wait_for_selector("text=Ranks: who was found?")
    assert page.url.endswith(query)
    assert page.evaluate("window.same")  # no page was loaded meanwhile
    page.reload(wait_until="commit", timeout=180_000)
    page.wait_for_selector("text=Ranks: who was found?", timeout=180_000)
    assert page.url.endswith(query)


def test_a_kernel_that_is_gone_is_told(page: Any) -> None:
    """The last test: it ends the kernel of the visit."""
    page.evaluate(
        """async () => {
            const config = JSON.parse(document.getElementById("jupyter-config-data").textContent);
            const secret = document.cookie.match(/_xsrf=([^;]+)/)[1];
            const body = new URLSearchParams({ _xsrf: secret });
            await fetch(`/voila/api/shutdown/${config.kernelId}`, { method: "POST", body });
        }"""
    )
    page.wait_for_selector(".mfa-lost", timeout=30_000)
    assert "kernel of this page has ended" in page.locator(".mfa-lost").inner_text()
