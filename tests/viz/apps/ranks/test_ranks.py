"""Ranks: what is shown is what the scoring says, whatever is clicked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import mfa
import viz
from mfa.errors import InputError
from mfa.retrieval.queries import first_errors, select_queries
from viz.apps.core.images import thumbnail
from viz.apps.core.labels import ALL, distinct_names


def press(app: Any, cards: Any, place: int) -> None:
    """Click a card."""
    cards.selected = place
    cards.clicks += 1
    app.wait()


def test_cards_are_the_ranking(world: Any, keep: Any) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root, query=2, k=5))
    result = mfa.evaluate(mfa.open_run(world.anchored), world.data)
    ranking = result.ranking(2, 5)
    assert len(app.rows[0].items) == 6
    for item, (_, entry) in zip(app.rows[0].items[1:], ranking.iterrows(), strict=True):
        assert item["kind"] == ("match" if entry["match"] else "wrong")
        assert item["sub"] == f"{entry['distance']:.3f}"
    assert f"{100 * result.mAP:.1f} %" in app.numbers.value
    place = int(ranking["gallery"].iloc[0])
    assert app.rows[0].images[1] == thumbnail(world.data.gallery[place].path)


def test_changes_are_told_against_equal_questions_only(world: Any, keep: Any) -> None:
    """Another camera filter asks other questions, so nothing is compared with the default."""
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root))
    run = mfa.open_run(world.anchored)
    app.camera_filter.value = False
    app.wait()
    unfiltered = mfa.evaluate(run, world.data, camera_filter=False)
    assert f"{100 * unfiltered.mAP:.1f} %" in app.numbers.value
    assert "<small>" not in app.numbers.value
    app.flip.value = True
    app.wait()
    both = mfa.evaluate(run, world.data, camera_filter=False, flip=True)
    assert f"{100 * both.mAP:.1f} %" in app.numbers.value
    assert f"<small>{100 * (both.mAP - unfiltered.mAP):+.1f}</small>" in app.numbers.value
    app.rerank.value = True
    app.wait()
    assert not app.error


def test_a_camera_leaves_only_its_pictures(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root))
    assert app.camera.label == "all cameras"  # a list that shows nothing says nothing
    camera = next(value for _, value in app.camera.options if value != ALL)
    app.camera.value = camera
    app.wait()
    assert all(f"cam {camera}" in item["title"] for item in app.rows[0].items[1:])
    names = executed(app.code())
    assert f"{100 * names['result'].mAP:.1f} %" in app.numbers.value
    app.camera.value = ALL
    app.wait()
    assert app.state.camera is None
    assert app.camera.label == "all cameras"


def test_clicking_a_query_and_a_card(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.rank_explorer([world.anchored, world.guided], data_root=world.root, k=4))
    press(app, app.offers, 3)
    assert app.state.query == 3
    press(app, app.rows[1], 2)
    run = mfa.open_run(world.guided)
    ranking = mfa.evaluate(run, world.data).ranking(3, 4)
    assert app.state.card == (1, int(ranking["gallery"].iloc[1]))
    assert len(app.maps.items) == 10  # four branches and fused, twice
    assert f"cosine {1 - ranking['distance'].iloc[1]:.3f}" in app.bars.value
    assert executed(app.code())["shown"].axes
    app.rows[0].selected = 0  # the query's own card is no button
    assert app.rows[0].items[0]["still"]


def test_an_explanation_goes_with_its_card(world: Any, keep: Any) -> None:
    """It stayed, for a picture that was not in the row any more."""
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root, k=10))
    press(app, app.rows[0], 9)
    assert app.maps.items
    app.k.value = 3
    app.wait()
    assert app.maps.items == []
    assert "cosine" not in app.bars.value


def test_orders_and_words_find_queries(world: Any, keep: Any) -> None:
    result = mfa.evaluate(mfa.open_run(world.anchored), world.data)
    table = result.per_query
    worst = select_queries(result, "worst")
    precision = table.set_index("query")["AP"]
    assert [precision[q] for q in worst] == sorted(precision[q] for q in worst)
    pid = int(table["pid"].iloc[0])
    found = select_queries(result, find=f"id {pid}")
    assert found == [int(q) for q in table["query"][table["pid"] == pid]]
    with pytest.raises(InputError, match="no query fits"):
        select_queries(result, find="nobody")
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root))
    app.order.value = "worst"
    app.wait()
    assert app.state.query == worst[0]
    app.find.value = "nobody"
    app.wait()
    assert "no query fits" in app.error


def test_first_errors_are_those_of_a_walk_down_the_list(world: Any, keep: Any) -> None:
    result = mfa.evaluate(mfa.open_run(world.anchored), world.data)
    found = first_errors(result)
    for query in result.counted["query"]:
        match = list(result.ranking(query, 100)["match"])
        assert found[query] == 1 + (match.index(False) if False in match else len(match))
    assert (found[result.dropped["query"]] == 0).all()
    rank = int(np.bincount(found)[1:].argmax()) + 1
    chosen = select_queries(result, "first_error", at=rank)
    assert sorted(chosen) == sorted(np.flatnonzero(found == rank))
    app = keep(
        viz.rank_explorer(world.anchored, data_root=world.root, order="first_error", at=rank)
    )
    assert app.state.query == chosen[0]
    assert app.at.layout.display == ""
    app.at.value = 50
    app.wait()
    assert "no query has its first wrong answer at rank 50" in app.error


def test_another_order_begins_with_its_first_query_and_pages_turn(world: Any, keep: Any) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root))
    app.script.expanded = True
    app.order.value = "worst"
    app.wait()
    result = mfa.evaluate(mfa.open_run(world.anchored), world.data)
    worst = select_queries(result, "worst")
    assert app.state.query == worst[0]
    assert f"draw_rank_grid(result, data, [{worst[0]}]," in app.script.text  # the app chose it
    assert f"Over all {len(result.counted)} counted queries" in app.numbers.value
    app.after.click()
    app.wait()
    assert app.state.query == worst[min(12, len(worst) - 1)]
    app.before.click()
    app.wait()
    assert app.state.query == worst[0]


def test_runs_of_one_name_are_told_apart(world: Any, keep: Any) -> None:
    app = keep(viz.rank_explorer([world.anchored, world.anchored], data_root=world.root))
    assert [row.label.split(": 0")[0] for row in app.rows] == ["1: anchored", "2: anchored"]
    paths = [Path(path) for path in ("a/x/run", "a/y/run", "b/y/run")]
    assert distinct_names(paths[:2]) == ["x/run", "y/run"]
    assert distinct_names(paths) == ["a/x/run", "a/y/run", "b/y/run"]
    assert distinct_names(paths[:1]) == ["run"]
    assert distinct_names(paths[:1], least=2) == ["x/run"]
    assert distinct_names([Path("run")], least=2) == ["run"]


def test_an_explanation_says_what_it_leaves_out(world: Any, keep: Any) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root))
    press(app, app.rows[0], 1)
    assert "plain cosine" not in app.bars.value
    app.flip.value = True
    app.wait()
    assert "plain cosine" in app.bars.value


def give(app: Any, content: bytes) -> None:
    """Choose a file as the page does; it sends nothing of one that it cannot read."""
    app.upload.name = "me.jpg"
    app.upload.content = memoryview(content)
    app.upload.chosen += 1
    app.wait()


def test_ones_own_picture_is_searched_with(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root, k=3))
    path = next(sample.path for sample in world.data.gallery if sample.pid > 0)
    give(app, path.read_bytes())
    assert app.upload.content == b""
    assert app.rows[0].items[0]["title"] == "your picture"
    assert app.rows[0].images[1] == thumbnail(path)  # itself is the nearest
    assert app.rows[0].items[1]["sub"].endswith("0.000")
    app.flip.value = True  # its mirror image is searched with as well, as the gallery's are
    app.wait()
    assert app.rows[0].items[1]["sub"].endswith("0.000")
    app.camera.value = next(value for _, value in app.camera.options if value != ALL)
    app.wait()
    names = executed(app.code().replace("YOUR_PICTURE.jpg", str(path)))
    found = [f"{distance:.3f}" for distance in names["shown"]["distance"]]
    assert [item["sub"].split(" · ")[1] for item in app.rows[0].items[1:]] == found
    assert app.offers.selected == -1  # no query on offer is the one that is searched with
    app.set(own=None, query=1)
    app.wait()
    for content in (b"no", b""):
        give(app, content)
        assert "me.jpg cannot be read" in app.error


def test_an_error_stands_beside_its_control_and_old_answers_are_dimmed(
    world: Any, keep: Any
) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root))
    give(app, b"no")
    place = list(app.panel.children).index(app.upload)
    note = app.panel.children[place + 1]
    assert "me.jpg cannot be read" in note.value
    assert note.layout.display == ""
    assert "mfa-old" in app.picture_side._dom_classes
    app.find.value = "nobody"  # another control, another place
    app.wait()
    assert note.layout.display == "none"
    app.find.value = ""
    app.wait()
    assert "mfa-old" not in app.picture_side._dom_classes


def test_own_pictures_are_decoded_once(world: Any, keep: Any, monkeypatch: Any) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root, k=3))
    opened: list[Any] = []
    real = Image.open
    monkeypatch.setattr(Image, "open", lambda *a, **k: opened.append(a) or real(*a, **k))
    buffer = io.BytesIO()
    Image.new("RGB", (40, 90), "red").save(buffer, "PNG")
    give(app, buffer.getvalue())
    uploads = [given for given in opened if isinstance(given[0], io.BytesIO)]
    app.k.value = 5
    app.wait()
    press(app, app.rows[0], 1)
    assert len(uploads) == 1
    assert [given for given in opened if isinstance(given[0], io.BytesIO)] == uploads


def test_marks_can_be_covered_for_a_class_that_guesses_first(world: Any, keep: Any) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root, ignored=True))
    assert {item["kind"] for item in app.rows[0].items} > {"query", "wrong"}
    app.covered.value = True
    app.wait()
    assert {item["kind"] for item in app.rows[0].items} == {"query", "plain"}
    said = str(app.rows[0].items) + app.rows[0].label
    assert not any(word in said for word in ("match", "wrong", "ignored picture", "AP "))


def test_thumbnails_are_pictures_and_follow_the_file(world: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 16), "red").save(path)
    first = thumbnail(path)
    assert Image.open(io.BytesIO(first)).size == (64, 128)
    Image.new("RGB", (9, 18), "blue").save(path)
    assert thumbnail(path) != first
