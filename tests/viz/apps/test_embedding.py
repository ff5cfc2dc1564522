"""Embedding: linked planes of the same pictures, and the cards of a selection."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mfa
import viz
from viz.apps.core.images import thumbnail
from viz.apps.core.session import Session
from viz.theme import IGNORED, MATCH, WRONG


def test_planes_are_linked_and_a_selection_is_shown(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.embedding_explorer(world.anchored, data_root=world.root, people=3))
    assert list(app.scatters) == ["whole descriptor", *(f"branch{n}" for n in range(1, 5))]
    first, other = (app.scatters[name].widget for name in ("whole descriptor", "branch2"))
    other.selection = np.array([0, 5], dtype=np.uint32)  # as the page's lasso does
    app.wait()
    assert list(first.selection) == [0, 5]
    assert app.state.selection == (0, 5)
    names = executed(app.code())
    selected, table = names["shown"], names["table"]  # of the whole descriptor
    places = app.shown["whole descriptor"][["x", "y"]]
    assert np.allclose(table[["x", "y"]], places, atol=1e-5)
    titles = [item["title"] for item in app.cards.items]
    assert titles == [f"id {pid}" for pid in selected["pid"]]
    sample = next(s for s in world.data.query if s.path.name == selected["name"].iloc[0])
    assert app.cards.images[0] == thumbnail(sample.path)
    app.clear.click()
    app.wait()
    assert app.cards.items == []


def test_the_selected_stand_at_their_places_on_request(
    world: Any, keep: Any, executed: Any
) -> None:
    app = keep(viz.embedding_explorer(world.anchored, data_root=world.root, people=3))
    app.scatters["whole descriptor"].widget.selection = np.array([0, 5, 7], dtype=np.uint32)
    app.wait()
    assert len(app.cards.items) == 3
    assert app.plane.layout.display == "none"
    app.places.value = True
    app.wait()
    assert app.cards.items == []
    assert app.plane.layout.display == ""
    assert app.plane.label.startswith("3 pictures selected, where they stand")
    drawn = executed(app.code())
    points = drawn["selected"][["x", "y"]]
    assert len(drawn["pictures"]) == len(points) == 3
    app.clear.click()
    app.wait()
    assert app.plane.layout.display == "none"


def test_words_select_without_a_mouse(world: Any, keep: Any) -> None:
    app = keep(viz.embedding_explorer(world.anchored, data_root=world.root, people=3))
    table = app._table.reset_index(drop=True)
    pid = int(table["pid"].iloc[0])
    app.find.value = f"id {pid} cam {table['camid'].iloc[0]}"
    app.wait()
    same = (table["pid"] == pid) & (table["camid"] == table["camid"].iloc[0])
    assert list(app.state.selection) == list(table.index[same])
    assert list(app.scatters["branch3"].widget.selection) == list(table.index[same])
    wrong = list(table.index[table["answer"] == "query, wrong"])
    app.find.value = "wrong"
    app.wait()
    assert app.error == "" if wrong else "no picture here fits" in app.error
    assert not wrong or list(app.state.selection) == wrong
    app.find.value = "nobody"
    assert "no picture here fits 'nobody'" in app.error
    app.find.value = ""
    app.wait()
    assert app.state.selection == ()
    app.find.value = f"id {pid}"
    app.clear.click()
    assert app.find.value == ""  # so that the same words can be said again
    app.find.value = f"id {pid}"
    app.wait()
    assert list(app.state.selection) == list(table.index[table["pid"] == pid])
    app.scatters["branch1"].widget.selection = np.array([1], dtype=np.uint32)
    app.wait()
    assert app.find.value == ""


def test_colours_are_named(world: Any, keep: Any) -> None:
    app = keep(viz.embedding_explorer(world.anchored, data_root=world.root, people=3))
    app.colour.value = "answer"
    app.wait()
    colours = {"gallery": IGNORED, "query, right": MATCH, "query, wrong": WRONG}
    for name, colour in colours.items():
        assert f"background:{colour}'></i>{name}</span>" in app.words.value


def test_a_query_that_is_not_counted_is_neither_right_nor_wrong(
    world: Any, keep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = mfa.open_run(world.anchored)
    whole = mfa.evaluate(run, world.data)
    table = whole.per_query.copy()
    table.loc[0, ["AP", "first_match_rank", "status"]] = [np.nan, pd.NA, "no gallery picture"]
    dropped = replace(whole, per_query=table)
    monkeypatch.setattr(Session, "result", lambda *_, **__: dropped)
    app = keep(viz.embedding_explorer(run, data=world.data, colour="answer"))
    assert app.error == ""
    assert "</i>query, not counted</span>" in app.words.value


def test_people_and_colours_change_without_leaving_widgets(
    world: Any, keep: Any, left_over: Any
) -> None:
    app = keep(viz.embedding_explorer(world.anchored, data_root=world.root, people=3))
    before = left_over()
    plane = weakref.ref(app.scatters["branch1"])
    app.people.value = 5
    app.wait()
    assert left_over() == before
    gc.collect()
    assert plane() is None
    app.colour.value = "answer"
    app.wait()
    assert app.error == ""
    assert left_over() == before
    app.method.value = "tsne"
    app.wait()
    assert "t-SNE" in app.words.value


def test_tsne_can_be_stopped_at_any_moment(world: Any, keep: Any) -> None:
    app = keep(viz.embedding_explorer(world.anchored, data_root=world.root, people=3))
    places = app.shown["branch1"]
    app.method.value = "tsne"
    app.stop_button.click()
    app.wait(30)
    assert app.shown["branch1"] is places
    app.set(people=4)
    app.wait(120)
    assert "t-SNE" in app.words.value
