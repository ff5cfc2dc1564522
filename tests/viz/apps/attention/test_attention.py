"""Attention: the cards carry the engine's own numbers, and the code makes them again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import mfa
import viz
from mfa.datasets.loading.decode import decode
from mfa.errors import InputError
from mfa.explain.capture import mean_maps
from viz.apps.core.worker import Superseded


def scores(cards: Any) -> list[str]:
    return [item["sub"].split()[0] for item in cards.items]


def test_cards_are_the_engines_maps(world: Any, keep: Any) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root, position=1))
    run = mfa.open_run(world.anchored)
    image = decode(world.data.query[1].path, 64, 32)
    maps = mfa.branch_maps(run, image, reference=mfa.reference_pictures(run, world.data))
    assert scores(app.rows[0]) == [f"{maps.scores[name][0]:+.2f}" for name in maps]
    assert [item["title"].split()[0] for item in app.rows[0].items] == list(maps)


@pytest.mark.parametrize(
    "change",
    [
        {"target": "other"},
        {"target": "contrast"},
        {"target": "identity"},
        {"method": "EigenCAM"},
        {"method": "ShapleyCAM"},
        {"layer": "layer3"},
        {"fused": "mean"},
        {"side": "gallery", "position": 3},
        {"control": True},
    ],
    ids=str,
)
def test_every_choice_makes_maps_and_code(world: Any, keep: Any, change: Any) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root))
    app.set(**change)
    app.wait()
    assert app.error == ""
    assert len(app.rows[0].images) == 5
    assert bool(app.rows[1].images) == bool(change.get("control"))
    names: dict[str, Any] = {}
    exec(app.code(), names)
    shown = names["maps"]
    assert scores(app.rows[0])[:4] == [f"{shown.scores[f'branch{n}'][0]:+.2f}" for n in range(1, 5)]


def test_opacity_changes_the_picture_alone(world: Any, keep: Any) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root))
    before, numbers = list(app.rows[0].images), scores(app.rows[0])
    app.opacity.value = 0.3
    app.wait()
    assert app.rows[0].images != before
    assert scores(app.rows[0]) == numbers


def test_two_models_stand_below_each_other(world: Any, keep: Any) -> None:
    app = keep(viz.attention_explorer([world.anchored, world.guided], data_root=world.root))
    assert [row.label for row in app.rows[:2]] == ["anchored", "guided"]


def test_the_lens_finds_a_place_in_the_other_picture(world: Any, keep: Any) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root))
    app.picture.point = [0.5, 0.25]
    app.picture.points += 1
    app.wait()
    assert app.state.lens == (0.5, 0.25)
    assert len(app.lens.items) == 5
    run = mfa.open_run(world.anchored)
    sides = [decode(path, 64, 32) for path in app.paths(app.state)]
    from mfa.explain.correspondence import correspond

    reference = mfa.reference_pictures(run, world.data)
    found = correspond(run, *sides, (16, 16), reference=reference)
    assert app.lens.items[-1]["sub"] == f"{found.maps['fused'].sum():+.4f}"
    app.position.value = 3  # the place was one of the picture before
    app.wait()
    assert app.state.lens is None
    assert app.lens.items == []
    count = len(world.data.query)
    assert app.offers.label == f"Pictures 0 to {min(12, count) - 1} of {count}"


def test_pictures_are_chosen_by_a_click_and_the_other_one_by_number(world: Any, keep: Any) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root, position=1))
    assert app.offers.selected == 1
    app.offers.selected = 3
    app.offers.clicks += 1
    app.wait()
    assert app.state.position == app.position.value == 3
    assert world.data.query[3].path.name in app.note.value
    best = app.other.image
    assert app.other_position.value == -1
    app.other_position.value = 2
    app.wait()
    assert app.paths(app.state)[1] == world.data.gallery[2].path
    assert app.other.image != best
    app.other_position.value = -1
    app.wait()
    assert app.other.image == best


def test_a_slow_rule_tells_how_far_it_is_and_can_be_stopped(world: Any) -> None:
    run = mfa.open_run(world.anchored)
    image = decode(world.data.query[0].path, 64, 32)
    shares: list[float] = []
    mfa.branch_maps(run, image, method="ScoreCAM", progress=shares.append)
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.9 < shares[-1] <= 1
    with pytest.raises(Superseded):
        mfa.branch_maps(run, image, method="AblationCAM", progress=stopped)


def stopped(share: float) -> None:
    raise Superseded


def test_a_position_that_is_not_there_is_a_sentence(world: Any, keep: Any) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root))
    app.set(other=10_000)
    app.wait()
    assert "the gallery has pictures 0 to" in app.error
    app.set(other=None, target="identity", control=True)
    app.wait()
    assert "random weights know no identity" in app.error
    with pytest.raises(InputError):
        viz.attention_explorer(world.root / "nowhere")


def test_mean_maps_may_be_given_instead_of_pictures(world: Any) -> None:
    run = mfa.open_run(world.anchored)
    image = decode(world.data.query[0].path, 64, 32)
    reference = mfa.reference_pictures(run, world.data, 8)
    assert isinstance(reference, torch.Tensor)
    means = mean_maps(run.model, reference, layer="branch", names=tuple(run.model.heads))
    one = mfa.branch_maps(run, image, reference=reference)
    two = mfa.branch_maps(run, image, reference=means)
    assert all(np.array_equal(one.raw[name], two.raw[name]) for name in one)
