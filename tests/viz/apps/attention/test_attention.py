"""Attention: the cards carry the engine's own numbers, and the code makes them again."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import mfa
import viz
from mfa.datasets.loading.decode import decode
from mfa.errors import InputError
from viz.apps.attention.cards import ABOUT
from viz.apps.core.own_picture import own_picture
from viz.apps.core.worker import Superseded


def sums(maps: Any) -> list[str]:
    return [f"{maps.raw[name][0].sum():+.2f}" for name in maps]


def numbers(cards: Any) -> list[str]:
    return [item["sub"] for item in cards.items]


def test_cards_are_the_engines_maps(world: Any, keep: Any) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root, position=1))
    run = mfa.open_run(world.anchored)
    image = decode(world.data.query[1].path, 64, 32)
    maps = mfa.branch_maps(run, image, reference=mfa.reference_pictures(run, world.data))
    assert numbers(app.rows[0]) == sums(maps)
    assert [item["title"].split()[0] for item in app.rows[0].items] == list(maps)


@pytest.mark.parametrize(
    "change",
    [
        {"target": "other"},
        {"target": "contrast", "untrained": True},
        {"target": "identity", "fused": "mean"},
        {"method": "ShapleyCAM", "side": "gallery", "position": 3},
        {"method": "GradCAM", "layer": "layer3"},
    ],
    ids=str,
)
def test_every_choice_makes_maps_and_code(
    world: Any, keep: Any, executed: Any, change: Any
) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root))
    app.set(**change)
    app.wait()
    assert app.error == ""
    assert len(app.rows[0].images) == 5
    assert bool(app.rows[1].images) == bool(change.get("untrained"))
    names = executed(app.code())
    assert numbers(app.rows[0])[:4] == sums(names["maps"])[:4]
    assert names["shown"].axes


def test_each_method_has_its_own_words_and_numbers(world: Any, keep: Any) -> None:
    """One caption stood under all of them, and the numbers never changed."""
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root))
    assert "a part of the score" in app.note.value
    before = numbers(app.rows[0])
    app.method.value = "GradCAM"
    app.wait()
    assert numbers(app.rows[0]) != before
    for method in ("RandomCAM", "EigenCAM"):
        app.method.value = method
        app.wait()
        assert ABOUT[method] in app.note.value
        assert "has no meaning" in app.note.value
        assert {*numbers(app.rows[0])} == {""}
    before, found = list(app.rows[0].images), numbers(app.rows[0])
    app.opacity.value = 0.3
    app.wait()
    assert app.rows[0].images != before
    assert numbers(app.rows[0]) == found
    app.set(method="HiResCAM", layer="layer3")  # the same rule, which adds up at the branches alone
    app.wait()
    assert "values are not parts of the score; under a map its sum" in app.note.value


def test_the_best_match_belongs_to_the_picture(world: Any, keep: Any) -> None:
    """Pictures of the gallery all got the match of query 0."""
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root, side="gallery"))
    features = mfa.extract_features(mfa.open_run(world.anchored), world.data).gallery
    people = [i for i, sample in enumerate(world.data.gallery) if sample.pid > 0][:4]
    for position in people:
        app.set(position=position)
        app.wait()
        pictures = app.shown.pictures
        own = world.data.gallery[position]
        right = (features.pids == own.pid) & (features.camids != own.camid)
        unit = features.features / np.linalg.norm(features.features, axis=1, keepdims=True)
        cosine = np.where(right, unit @ unit[position], -2)
        assert pictures.other.position == int(cosine.argmax())
        assert pictures.other.pid == own.pid
        assert pictures.wrong.pid != own.pid


def test_two_models_stand_below_each_other(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.attention_explorer([world.anchored, world.guided], data_root=world.root))
    assert [row.label for row in app.rows[:2]] == ["anchored", "guided"]
    executed(app.code())


def test_lines_join_matching_places(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root))
    assert app.matches.value == ""
    app.lines.value = 3
    app.wait()
    names = executed(app.code())
    shown = names["found"].strongest(3)
    drawn = re.findall(r"<title>(.+?) of the cosine", app.matches.value)
    assert drawn == [f"{part:+.4f}" for t in shown.values() for part in t["part"][::-1]]
    assert drawn
    for name, total in names["found"].pairs.items():
        bring = f"{shown[name]['part'].sum():+.3f} of {total:+.3f}"
        assert f"{name}<small>{bring}</small>" in app.matches.value
    assert [len(axis.lines) for axis in names["shown"].axes] == [len(t) for t in shown.values()]
    app.set(lines=0, point=None)
    app.wait()
    assert app.matches.value == ""


def test_a_place_is_found_in_the_other_picture(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root))
    app.picture.point = [0.5, 0.25]
    app.picture.points += 1
    app.wait()
    assert app.state.point == (0.5, 0.25)
    assert len(app.places.items) == 5
    found = executed(app.code())["found"]
    assert found.point == (16, 16)
    assert app.places.items[-1]["sub"] == f"{found.maps['fused'].sum():+.4f}"
    app.position.value = 3  # the place was one of the picture before
    app.wait()
    assert app.state.point is None
    assert app.places.items == []
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
    assert app.compare.label == "best match"
    app.compare.value = False
    app.wait()
    assert app.other.image == best  # it is where choosing begins
    other = 0 if app.state.other else 1
    app.other_position.value = other
    app.wait()
    assert app.shown.pictures.other.position == other
    assert app.other.image != best
    app.compare.value = True
    app.wait()
    assert app.other.image == best


def test_ones_own_picture_is_explained(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root))
    place, sample = next((i, s) for i, s in enumerate(world.data.gallery) if s.pid > 0)
    app.upload.name, app.upload.content = "me.jpg", memoryview(sample.path.read_bytes())
    app.upload.chosen += 1
    app.wait()
    assert app.error == ""
    assert "me.jpg" in app.note.value
    assert app.shown.pictures.other.position == place
    names = executed(app.code().replace("YOUR_PICTURE.jpg", str(sample.path)))
    assert numbers(app.rows[0]) == sums(names["maps"])
    app.set(target="contrast")
    app.wait()
    assert "nobody says who your own picture shows" in app.error


def test_the_code_computes_nothing(world: Any, keep: Any, monkeypatch: Any) -> None:
    """It is asked for on the kernel's thread, which it would block."""
    own = own_picture(world.data.query[0].path.read_bytes())
    for name in (
        "ranks",
        "attention",
        "occlusion",
        "branches",
        "failures",
        "embedding",
        "threshold",
    ):
        app = keep(viz.apps.opener(name)(world.anchored, data_root=world.root))
        if hasattr(app.state, "own"):
            app.set(own=own)
            app.wait()
        with monkeypatch.context() as patched:
            for computing in ("_cache", "_lists"):
                for session in getattr(app, "sessions", [getattr(app, "session", None)]):
                    patched.setattr(session, computing, None)
            assert "mfa.open_run" in app.code(), name


def test_a_slow_method_tells_how_far_it_is_and_can_be_stopped(world: Any) -> None:
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
    assert app.position.max == len(world.data.query) - 1
    app.side.value = "gallery"
    app.wait()
    assert app.position.max == len(world.data.gallery) - 1
    app.set(other=10_000)
    app.wait()
    assert "has no picture 10000" in app.error
    app.set(other=None, target="identity", untrained=True)
    app.wait()
    assert "an untrained network knows no identity" in app.error
    with pytest.raises(InputError):
        viz.attention_explorer(world.root / "nowhere")


def test_an_opacity_that_is_none_is_refused(world: Any, keep: Any) -> None:
    app = keep(viz.attention_explorer(world.anchored, data_root=world.root, opacity=math.nan))
    assert "opacity goes from 0 to 1, got nan" in app.error
    app.set(opacity=7.0)
    app.wait()
    assert "got 7" in app.error
    app.set(opacity=0.5)
    app.wait()
    assert not app.error
