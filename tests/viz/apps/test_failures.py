"""Failures: groups hold who they say, and one query is shown with its wrong answer."""

from __future__ import annotations

from typing import Any

import mfa
import viz


def test_groups_and_the_wrong_answer(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.failure_browser(world.anchored, data_root=world.root))
    result = mfa.evaluate(mfa.open_run(world.anchored), world.data)
    wrong = result.counted[result.counted["first_match_rank"] > 1]
    assert len(app.group.items) == min(len(wrong), 24)
    assert f"{len(wrong)} of {len(result.counted)}" in app.table.caption
    app.tag.value = "near miss"
    app.wait()
    near = wrong[wrong["first_match_rank"] <= 5]
    assert f"of {len(near)}" in app.place.value
    app.group.selected = last = len(app.group.items) - 1
    app.group.clicks += 1
    app.wait()
    assert app.state.query == app.shown.images[last].position
    assert app.ranks.items[1]["kind"] == "wrong"
    assert len(app.maps.items) == 10
    app.table.cell = [len(app.table.rows) - 1, 1]  # a count of the table is a button
    app.table.clicks += 1
    app.wait()
    assert app.state.tag == app.tag.value == app.table.rows[-1][0]
    assert app.place.value.endswith(f"of {app.table.rows[-1][1]}")
    app.after.click()  # there is no page after the last one
    app.wait()
    assert app.group.items
    app.group.selected = last = len(app.group.items) - 1
    app.group.clicks += 1
    app.wait()
    names = executed(app.code())
    assert list(names["group"]["query"])[:3] == [image.row for image in app.shown.images[:3]]
    first = names["result"].ranking(app.shown.query.row, 1)["distance"].iloc[0]
    assert app.ranks.items[1]["sub"] == f"{first:.3f}"
    assert names["shown"].axes


def test_an_empty_group_is_told(world: Any, keep: Any) -> None:
    app = keep(viz.failure_browser(world.anchored, data_root=world.root))
    held = [row[0] for row in app.table.rows if row[1] != "0"]
    empty = next(tag for tag in reversed(app.tag.options) if tag not in held)
    app.set(tag=empty)
    app.wait()
    assert "of 0" in app.place.value
    assert app.ranks.items == []
    assert "No query is in this group" in app.words.value
    assert app.maps.label == app.ranks.label == ""  # no heading over nothing
