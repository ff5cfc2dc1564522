"""Occlusion: what is done to a picture, and that scores and maps are of the changed one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mfa
import viz
from mfa.errors import InputError
from mfa.explain.occlusion_edits import (
    OCCLUDERS,
    SCENES,
    WAYS,
    Stroke,
    brushed,
    hidden,
    moved,
    painted,
    scene,
)

DOT = Stroke(((0.5, 0.25),), 0.1)


def ramp() -> np.ndarray:
    rows, columns = np.mgrid[0:64, 0:32]
    return np.stack([rows * 3, columns * 7, rows + columns], axis=2).astype(np.uint8)


def test_a_stroke_covers_a_disc_of_its_radius() -> None:
    mask = painted((200, 100), [DOT])
    rows, columns = np.nonzero(mask)
    assert abs(rows.mean() - 50) < 1
    assert abs(columns.mean() - 50) < 1
    assert mask.sum() == pytest.approx(np.pi * 100, rel=0.2)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "shift"])
def test_the_brush_changes_what_it_covers_and_nothing_else(way: str) -> None:
    picture = np.random.default_rng(5).integers(0, 256, (64, 32, 3)).astype(np.uint8)
    mask = painted((64, 32), [DOT])
    after = brushed(picture, [DOT], way)
    assert np.array_equal(after[~mask], picture[~mask])
    assert not np.array_equal(after[mask], picture[mask])
    with pytest.raises(InputError):
        brushed(picture, [DOT], "erase")


def test_a_shifted_part_stands_elsewhere_and_leaves_a_blur() -> None:
    picture = np.random.default_rng(5).integers(0, 256, (64, 32, 3)).astype(np.uint8)
    mask = painted((64, 32), [DOT])
    after = brushed(picture, [DOT], "shift", (0.25, 0.5))
    there = np.zeros_like(mask)
    there[32:, 8:] = mask[:32, :24]
    assert np.array_equal(after[there], picture[mask])
    assert np.array_equal(after[~mask & ~there], picture[~mask & ~there])
    assert after[mask & ~there].std() < 0.5 * picture[mask].std()
    lost = brushed(picture, [DOT], "shift", (0.0, -0.5))  # over the upper edge
    assert np.array_equal(lost[~mask], picture[~mask])


def test_a_shift_repeats_the_edge() -> None:
    after = moved(ramp(), 0.25, 0.5)
    assert np.array_equal(after[32:, 8:], ramp()[:32, :24])
    assert (after[:32, :8] == ramp()[0, 0]).all()


@pytest.mark.parametrize("kind", OCCLUDERS[1:])
def test_an_occluder_covers_the_lower_part(kind: str) -> None:
    changed = (hidden(ramp(), kind, 0.6) != ramp()).any(axis=2)
    assert changed[44:].mean() > 0.25
    assert changed[:22].mean() < 0.1


def test_scenes_keep_the_size_and_change_the_picture() -> None:
    others = [np.zeros_like(ramp()), np.full_like(ramp(), 255)]
    for name in SCENES:
        after = scene(ramp(), name, others)
        assert after.shape == ramp().shape
        assert np.array_equal(after, ramp()) == (name == SCENES[0])


def test_painting_changes_score_maps_and_code(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.occlusion_brush(world.anchored, data_root=world.root, query=1, k=3))
    assert app.error == ""
    assert "+0.0" in app.numbers.value  # nothing done yet
    session = app.session
    features = session.features().query.features
    assert np.allclose(session.embed(session.query(1)), features[1], atol=1e-4)
    before, after = ([item["sub"] for item in row.items] for row in app.maps)
    assert len(before) == 5
    assert before == after
    app.canvas.stroke = [[0.5, 0.3], [0.5, 0.7]]
    app.canvas.strokes += 1
    app.wait()
    assert len(app.state.strokes) == 1
    assert [item["sub"] for item in app.maps[0].items] == before
    assert [item["sub"] for item in app.maps[1].items] != after
    names = executed(app.code())
    precision = names["result"].per_query["AP"].iloc[0]
    assert f"{100 * precision:.1f} %" in app.numbers.value
    app.undo.click()
    app.wait()
    assert app.state.strokes == ()


def test_presets_and_sliders_reach_the_picture(world: Any, keep: Any) -> None:
    app = keep(viz.occlusion_brush(world.anchored, data_root=world.root))
    seen = {app.canvas.image}
    for change in (
        {"scene": SCENES[1]},
        {"scene": SCENES[3]},
        {"right": 0.3},
        {"occluder": "bush"},
        {"way": "shift", "strokes": (DOT,)},
    ):
        app.set(**change)
        app.wait()
        assert app.error == ""
        seen.add(app.canvas.image)
    assert len(seen) == 6
    app.clear.click()
    app.wait()
    assert app.state.scene == SCENES[0]


def test_the_unchanged_query_ranks_as_in_the_whole_scoring(world: Any) -> None:
    run = mfa.open_run(world.anchored)
    whole, features = mfa.evaluate(run, world.data), mfa.extract_features(run, world.data)
    one = mfa.score(mfa.with_descriptor(features, 3, features.query.features[3]))
    assert one.per_query["AP"].iloc[0] == pytest.approx(whole.per_query["AP"].iloc[3])
