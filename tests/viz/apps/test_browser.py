"""Dataset browser: counts are counts of the lists, and choices choose."""

from __future__ import annotations

from typing import Any

import viz


def test_counts_and_choices(world: Any, keep: Any) -> None:
    app = keep(viz.apps.browser(world.data))
    data = world.data
    for split in ("train", "query", "gallery"):
        assert f"<td>{len(getattr(data, split)):,}</td>" in app.counts.value
    app.split.value = "gallery"
    app.wait()
    app.kind.value = "junk"
    app.wait()
    junk = [sample for sample in data.gallery if sample.pid == -1]
    assert app.place.value.endswith(f"of {len(junk)}")
    assert {item["title"] for item in app.cards.items} == {"junk"}
    app.kind.value = "all"
    app.camera.value = 2
    app.wait()
    assert all("cam 2" in item["sub"] for item in app.cards.items)


def test_a_click_shows_everything_of_that_person(world: Any, keep: Any) -> None:
    app = keep(viz.apps.browser(world.data, split="query"))
    app.cards.selected = 2
    app.cards.clicks += 1
    app.wait()
    pid = world.data.query[2].pid
    assert app.state.pid == pid
    assert app.pid.value == str(pid)
    app.split.value = "all"
    app.wait()
    lists = (*world.data.train, *world.data.query, *world.data.gallery)
    assert len(app.cards.items) == sum(sample.pid == pid for sample in lists)
    app.people.click()
    app.wait()
    assert app.state.pid != pid


def test_words_that_are_no_person_and_no_pictures(world: Any, keep: Any) -> None:
    app = keep(viz.apps.browser(world.data))
    app.pid.value = "Anna"
    assert "a person is a number" in app.error
    app.set(pid=123456)
    app.wait()
    assert "no picture fits" in app.error


def test_the_doctor_is_heard_and_the_code_runs(world: Any, keep: Any) -> None:
    app = keep(viz.apps.browser(world.data))
    app.doctor.value = True
    app.wait()
    assert "doctor" in app.findings.value
    names: dict[str, Any] = {}
    exec(app.code(), names)
    assert len(names["chosen"]) == len(app.chosen(app.state))
