"""Compared methods in the apps: branches like any others, though some have no exact ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mfa
import viz
from mfa.models import build_model
from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, save_checkpoint
from viz.apps.core.session import Session


def saved(method: str, world: Any, folder: Path, cameras: tuple[int, ...] = ()) -> Path:
    """A run of a method on the drawn people, with random weights."""
    config = mfa.presets.get(f"{method}-demo")
    config = replace(
        config,
        model=replace(config.model, width=8),
        data=replace(config.data, height=96, width=48),
    )
    torch.manual_seed(0)
    network = build_model(config.model, 4, cameras=cameras)
    if cameras:
        torch.nn.init.normal_(network.sie.embedding)
    tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
    facts: dict[str, Any] = {"dataset": "synthetic", "fingerprint": world.data.fingerprint}
    if cameras:
        facts["cameras"] = list(cameras)
    place = folder / method
    place.mkdir()
    save_checkpoint(Checkpoint(config, 1, 4, tensors, facts), place / CHECKPOINT)
    return place


@pytest.fixture(scope="module", params=["mgn", "pcb"])
def peer(request: Any, world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A method without an exact ledger, and one with it."""
    return saved(request.param, world, tmp_path_factory.mktemp("peers"))


@pytest.fixture(scope="module")
def sie(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of TransReID that has learned the cameras of the drawn people."""
    everyone = (*world.data.train, *world.data.query, *world.data.gallery)
    cameras = tuple(sorted({sample.camid for sample in everyone}))
    return saved("transreid", world, tmp_path_factory.mktemp("sie"), cameras)


def test_a_pair_is_explained_and_the_shares_add_up(
    peer: Path, world: Any, keep: Callable[[Any], Any], executed: Any
) -> None:
    app = keep(viz.rank_explorer(peer, data_root=world.root))
    app.rows[0].selected = 1
    app.rows[0].clicks += 1
    app.wait()
    assert app.error == ""
    session = app.sessions[0]
    assert session.adds_up is (peer.name == "pcb")
    assert ("no sum over pixels" in app.bars.value) is not session.adds_up
    assert "is about these two alone" in app.bars.value
    assert executed(app.code())["shown"].axes


def test_shares_are_those_of_the_ledger(world: Any) -> None:
    session = Session(mfa.open_run(world.anchored), world.data)
    one, two = session.query(0), session.query(1)
    ledger = session.ledger(one, two)
    shares = session.shares(one, two)
    assert shares.keys() == ledger.branches.keys()
    for name, part in ledger.branches.items():
        assert shares[name] == pytest.approx(part.share, abs=1e-5)


def test_origins_need_no_ledger(world: Any) -> None:
    session = Session(mfa.open_run(world.anchored), world.data)
    one, two = session.query(0), session.query(1)
    found = session.origins(one, two)
    assert found.score == pytest.approx(session.ledger(one, two).score, abs=1e-5)
    usual, q, g = session.features().gallery.features.mean(axis=0), *map(session.embed, (one, two))
    expected = (q - usual) @ (g - usual) / np.linalg.norm(q) / np.linalg.norm(g)
    assert found.pair == pytest.approx(expected, rel=1e-4)


def test_a_network_without_correspondence_says_so(
    peer: Path, world: Any, keep: Callable[[Any], Any], executed: Any
) -> None:
    app = keep(viz.attention_explorer(peer, data_root=world.root))
    app.set(point=(0.5, 0.5), lines=2)
    app.wait()
    assert app.error == ""
    follows = peer.name == "pcb"
    assert ("no sum over pixels" in app.matches.value) is not follows
    assert bool(app.places.images) is follows
    assert app.places.label.startswith("The same place" if follows else "No place can be followed")
    assert executed(app.code())["shown"].axes


def test_a_network_with_sie_explains_what_it_scores(
    sie: Path, world: Any, keep: Callable[[Any], Any], executed: Any
) -> None:
    """Maps and shares were those of a picture by no camera in particular."""
    app = keep(viz.attention_explorer(sie, data_root=world.root, target="other", point=(0.5, 0.5)))
    session, shown = app.sessions[0], app.shown
    names = executed(app.code())
    one, other = shown.pictures.image, shown.pictures.other
    sides = [
        mfa.ImagesWithCameras(
            image.pixels(96, 48)[None], session.run.cameras_of([image.sample], world.data)
        )
        for image in (one, other)
    ]
    average = mfa.reference_pictures(session.run, world.data)
    maps = mfa.branch_maps(session.run, sides[0], toward=sides[1], reference=average)
    assert maps.scores["fused"] == pytest.approx(names["maps"].scores["fused"], rel=1e-4)
    sums = [f"{maps.sums[name][0]:+.2f}" for name in maps]
    assert [item["sub"] for item in app.rows[0].items] == sums
    plain = mfa.branch_maps(session.run, one.pixels(96, 48), toward=sides[1], reference=average)
    found = session.maps(one, toward=session.fitted(other)).raw["fused"]
    np.testing.assert_allclose(found, maps.raw["fused"], rtol=1e-4)
    assert not np.allclose(found, plain.raw["fused"], rtol=1e-3)
    features = session.features()
    vectors = features.query.features[one.row], features.gallery.features[other.row]
    cosine = float(np.prod([1 / np.linalg.norm(v) for v in vectors]) * vectors[0] @ vectors[1])
    assert sum(session.shares(one, other).values()) == pytest.approx(cosine, abs=1e-4)
    if session.adds_up:
        assert session.ledger(one, other).score == pytest.approx(cosine, abs=1e-4)


def test_the_code_of_the_brush_names_the_camera(
    sie: Path, world: Any, keep: Callable[[Any], Any], executed: Any
) -> None:
    app = keep(viz.occlusion_brush(sie, data_root=world.root, down=0.2))
    maps = executed(app.code())["maps"]
    assert [i["sub"] for i in app.maps[1].items] == [f"{maps.sums[n][0]:+.2f}" for n in maps]


@pytest.mark.parametrize("name", ["occlusion", "failures", "branches", "embedding", "threshold"])
def test_the_others_open(peer: Path, world: Any, keep: Callable[[Any], Any], name: str) -> None:
    app = keep(viz.apps.opener(name)(peer, data_root=world.root))
    assert app.error == ""


def test_failures_code_explains_without_a_ledger(
    peer: Path, world: Any, keep: Callable[[Any], Any], executed: Any
) -> None:
    app = keep(viz.failure_browser(peer, data_root=world.root))
    assert np.asarray(app.maps.items, dtype=object).size
    assert executed(app.code())["shown"].axes
