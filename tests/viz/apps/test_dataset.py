"""Dataset browser: counts are counts of the lists, and choices choose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import viz
from mfa.datasets import load_dataset
from mfa.synthetic import SyntheticConfig, write


def test_counts_and_choices(world: Any, keep: Any) -> None:
    app = keep(viz.dataset_browser(world.data))
    data = world.data
    for split in ("train", "query", "gallery"):
        row = next(row for row in app.counts.rows if row[0] == split)
        assert row[1] == f"{len(getattr(data, split)):,}"
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
    app = keep(viz.dataset_browser(world.data, split="query"))
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
    app = keep(viz.dataset_browser(world.data))
    app.pid.value = "Anna"
    assert "a person is a number" in app.error
    app.pid.value = ""  # as the state says: nothing is drawn again, and nothing is wrong any more
    assert app.error == ""
    app.set(pid=123456)
    app.wait()
    assert "no picture fits" in app.error


def test_the_doctor_is_heard_and_the_code_runs(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.dataset_browser(world.data))
    app.doctor.value = True
    app.wait()
    assert "doctor" in app.findings.caption
    names = executed(app.code())
    assert names["images"] == app.shown.chosen
    app.kind.value = "junk"  # nobody to draw a sheet of
    app.wait()
    names = executed(app.code())
    assert {image.pid for image in names["images"]} == {-1}


def press(table: Any, row: int, column: int) -> None:
    table.cell = [row, column]
    table.clicks += 1


def test_every_number_leads_to_its_pictures(world: Any, keep: Any) -> None:
    app = keep(viz.dataset_browser(world.data))
    for row, texts in enumerate(app.counts.rows):
        for column, text in enumerate(texts[1:], start=1):
            if app.counts.headings[column] == "people" or text == "0":
                continue  # people are no pictures, and nothing is behind a 0
            press(app.counts, row, column)
            app.wait()
            assert app.error == ""
            assert app.place.value.endswith(f"of {text}"), (texts, app.counts.headings[column])
            assert app.split.value == texts[0]


def test_a_finding_leads_to_the_pictures_it_names(tmp_path: Path, keep: Any) -> None:
    size = SyntheticConfig(train_ids=2, test_ids=2, train_images=4, test_images=4, distractors=0)
    write(tmp_path, size)
    data = load_dataset("synthetic", tmp_path)
    one, two = (next(s.path for s in data.train if s.pid == pid) for pid in data.train_pids[:2])
    two.write_bytes(one.read_bytes())
    app = keep(viz.dataset_browser(data, doctor=True))
    row = next(n for n, texts in enumerate(app.findings.rows) if "duplicate-people" in texts[0])
    press(app.findings, row, 1)
    app.wait()
    assert {path.name for path in (one, two)} == set(app.state.names)
    assert len(app.cards.items) == 2
    app.split.value = "query"  # another choice shows everything again
    app.wait()
    assert app.state.names == ()
    app.set(names=("gone.jpg",))
    app.wait()
    assert "no list has a picture named gone.jpg" in app.error
