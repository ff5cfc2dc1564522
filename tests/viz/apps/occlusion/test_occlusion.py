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


ROWS, COLUMNS = np.mgrid[0:64, 0:32]
RAMP = np.stack([ROWS * 3, COLUMNS * 7, ROWS + COLUMNS], axis=2).astype(np.uint8)
NOISE = np.random.default_rng(5).integers(0, 256, (64, 32, 3)).astype(np.uint8)


def test_a_stroke_covers_a_disc_of_its_radius() -> None:
    mask = painted((200, 100), [DOT])
    rows, columns = np.nonzero(mask)
    assert abs(rows.mean() - 50) < 1
    assert abs(columns.mean() - 50) < 1
    assert mask.sum() == pytest.approx(np.pi * 100, rel=0.2)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "shift"])
def test_the_brush_changes_what_it_covers_and_nothing_else(way: str) -> None:
    mask = painted((64, 32), [DOT])
    after = brushed(NOISE, [DOT], way)
    assert np.array_equal(after[~mask], NOISE[~mask])
    assert not np.array_equal(after[mask], NOISE[mask])
    with pytest.raises(InputError):
        brushed(NOISE, [DOT], "erase")


def test_a_shifted_part_stands_elsewhere_and_leaves_a_blur() -> None:
    mask = painted((64, 32), [DOT])
    after = brushed(NOISE, [DOT], "shift", (0.25, 0.5))
    there = np.zeros_like(mask)
    there[32:, 8:] = mask[:32, :24]
    assert np.array_equal(after[there], NOISE[mask])
    assert np.array_equal(after[~mask & ~there], NOISE[~mask & ~there])
    assert after[mask & ~there].std() < 0.5 * NOISE[mask].std()
    lost = brushed(NOISE, [DOT], "shift", (0.0, -0.5))  # over the upper edge
    assert np.array_equal(lost[~mask], NOISE[~mask])


def test_a_shift_repeats_the_edge() -> None:
    after = moved(RAMP, 0.25, 0.5)
    assert np.array_equal(after[32:, 8:], RAMP[:32, :24])
    assert (after[:32, :8] == RAMP[0, 0]).all()


@pytest.mark.parametrize("kind", OCCLUDERS[1:])
def test_an_occluder_covers_the_lower_part(kind: str) -> None:
    changed = (hidden(RAMP, kind, 0.6) != RAMP).any(axis=2)
    assert changed[44:].mean() > 0.25
    assert changed[:22].mean() < 0.1


def test_scenes_keep_the_size_and_change_the_picture() -> None:
    for name in SCENES:
        after = scene(RAMP, name, [0 * RAMP, 0 * RAMP + 255])
        assert after.shape == RAMP.shape
        assert np.array_equal(after, RAMP) == (name == SCENES[0])


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
