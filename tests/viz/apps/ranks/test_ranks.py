"""Ranks: what is shown is what the scoring says, whatever is clicked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mfa
import viz
from mfa.errors import InputError
from mfa.records import FeatureSet
from mfa.retrieval.nearest import nearest
from viz.apps.core.images import thumbnail
from viz.apps.core.labels import told_apart
from viz.apps.core.search import ALL, first_errors, ordered


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


def test_switches_change_the_numbers_as_a_scoring_does(world: Any, keep: Any) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root))
    app.camera_filter.value = False
    app.wait()
    unfiltered = mfa.evaluate(mfa.open_run(world.anchored), world.data, camera_filter=False)
    assert f"{100 * unfiltered.mAP:.1f} %" in app.numbers.value
    assert "<small>" in app.numbers.value  # the change against the default
    app.flip.value = True
    app.wait()
    both = mfa.evaluate(mfa.open_run(world.anchored), world.data, camera_filter=False, flip=True)
    assert f"{100 * both.mAP:.1f} %" in app.numbers.value
    app.rerank.value = True
    app.wait()
    assert not app.error


def test_a_camera_leaves_only_its_pictures(world: Any, keep: Any) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root))
    assert app.camera.label == "all cameras"  # a list that shows nothing says nothing
    camera = next(value for _, value in app.camera.options if value != ALL)
    app.camera.value = camera
    app.wait()
    assert all(f"cam {camera}" in item["title"] for item in app.rows[0].items[1:])
    app.camera.value = ALL
    app.wait()
    assert app.state.camera is None
    assert app.camera.label == "all cameras"


def test_clicking_a_query_and_a_card(world: Any, keep: Any) -> None:
    app = keep(viz.rank_explorer([world.anchored, world.guided], data_root=world.root, k=4))
    app.offers.selected = 3
    app.offers.clicks += 1
    app.wait()
    assert app.state.query == 3
    app.rows[1].selected = 2
    app.rows[1].clicks += 1
    app.wait()
    run = mfa.open_run(world.guided)
    place = int(mfa.evaluate(run, world.data).ranking(3, 4)["gallery"].iloc[1])
    assert app.state.card == (1, place)
    assert len(app.maps.items) == 10  # four branches and fused, twice
    ranking = mfa.evaluate(run, world.data).ranking(3, 4)
    cosine = 1 - ranking["distance"].iloc[1]
    assert f"cosine {cosine:.3f}" in app.bars.value
    names: dict[str, Any] = {}
    exec(app.code(), names)
    assert names["figure"].get_size_inches()[0] == pytest.approx(7.0)


def test_orders_and_words_find_queries(world: Any, keep: Any) -> None:
    result = mfa.evaluate(mfa.open_run(world.anchored), world.data)
    table = result.per_query
    worst = ordered(result, "worst")
    precision = table.set_index("query")["AP"]
    assert [precision[q] for q in worst] == sorted(precision[q] for q in worst)
    pid = int(table["pid"].iloc[0])
    found = ordered(result, "list", f"id {pid}")
    assert found == [int(q) for q in table["query"][table["pid"] == pid]]
    with pytest.raises(InputError, match="no query fits"):
        ordered(result, "list", "nobody")
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
    chosen = ordered(result, "first_error", "", found, rank)
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
    app.code_button.click()
    app.order.value = "worst"
    app.wait()
    result = mfa.evaluate(mfa.open_run(world.anchored), world.data)
    worst = ordered(result, "worst")
    assert app.state.query == worst[0]
    assert f"draw_rank_grid(results, data, [{worst[0]}]," in app.code_text.value  # the app chose it
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
    assert told_apart(paths[:2]) == ["x/run", "y/run"]
    assert told_apart(paths) == ["a/x/run", "a/y/run", "b/y/run"]
    assert told_apart(paths[:1]) == ["run"]
    assert told_apart(paths[:1], least=2) == ["x/run"]
    assert told_apart([Path("run")], least=2) == ["run"]


def test_an_explanation_says_what_it_leaves_out(world: Any, keep: Any) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root, card=(0, 1)))
    assert "plain cosine" not in app.bars.value
    app.flip.value = True
    app.wait()
    assert "This explains the plain cosine; the order above is with flip." in app.bars.value


def give(app: Any, content: bytes, size: int = 0) -> None:
    """Choose a file as the page does; one of a larger ``size`` is not sent."""
    app.upload.name, app.upload.size = "me.jpg", size or len(content)
    app.upload.content = memoryview(content)
    app.upload.chosen += 1
    app.wait()


def test_a_picture_of_ones_own_is_asked(world: Any, keep: Any) -> None:
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root, k=3))
    path = next(sample.path for sample in world.data.gallery if sample.pid > 0)
    give(app, path.read_bytes())
    assert app.upload.content == b""
    assert app.rows[0].items[0]["title"] == "your picture"
    assert app.rows[0].images[1] == thumbnail(path)  # itself is the nearest
    assert app.rows[0].items[1]["sub"] == "0.000"
    app.flip.value = True  # its mirror image is asked as well, as the gallery's are
    app.wait()
    assert app.rows[0].items[1]["sub"] == "0.000"
    app.camera.value = next(value for _, value in app.camera.options if value != ALL)
    app.wait()
    exec(app.code().replace("YOUR_PICTURE.jpg", str(path)), names := {})
    found = [f"{distance:.3f}" for distance in names["table"]["distance"]]
    assert [item["sub"] for item in app.rows[0].items[1:]] == found
    app.set(upload=b"", query=1)
    app.wait()
    give(app, b"no")
    assert "me.jpg cannot be read" in app.error
    give(app, b"", size=20_000_000)
    assert "me.jpg has 20.0 MB; pictures up to 6 MB are taken" in app.error
    give(app, path.read_bytes())  # the first one again
    assert app.rows[0].items[0]["title"] == "your picture"
    assert app.offers.selected == -1  # no query on offer is the one that is asked


def test_nearest_is_a_sort_without_junk() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20, 4)).astype(np.float32)
    pids = np.array([-1, *range(1, 20)])
    side = FeatureSet(rows, pids, np.zeros(20, dtype=int), np.array([f"{i}" for i in range(20)]))
    asked = rng.normal(size=4).astype(np.float32)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    distance = 1 - unit @ (asked / np.linalg.norm(asked))
    expected = [i for i in np.argsort(distance) if pids[i] != -1][:6]
    found = nearest(side, asked, 6)
    assert list(found["gallery"]) == expected
    assert np.allclose(found["distance"], distance[expected], atol=1e-6)
    with pytest.raises(InputError, match="shape"):
        nearest(side, asked[:2])


def test_thumbnails_are_pictures(world: Any) -> None:
    from PIL import Image

    picture = Image.open(io.BytesIO(thumbnail(world.data.query[0].path)))
    assert picture.size == (64, 128)
