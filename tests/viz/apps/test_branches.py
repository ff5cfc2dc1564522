"""Branch mixer: numbers and grid are those of the weighted scoring."""

from __future__ import annotations

import re
from typing import Any

import pytest

import mfa
import viz
from mfa.errors import InputError
from mfa.inference.evaluate import extract_features
from mfa.retrieval.branch_weights import score_branches
from viz import theme


def test_switches_and_sliders_score_the_weighted_descriptor(
    world: Any, keep: Any, executed: Any
) -> None:
    app = keep(viz.branch_mixer(world.anchored, data_root=world.root, query=1, k=4))
    features = extract_features(mfa.open_run(world.anchored), world.data)
    app.switches[0].value = False
    app.sliders[2].value = 0.5
    app.wait()
    assert app.state.weights == (0.0, 1.0, 0.5, 1.0)
    assert app.sliders[0].value == 0
    weights = {"branch2": 1.0, "branch3": 0.5, "branch4": 1.0}
    expected = score_branches(features, weights)
    assert f"{100 * expected.mAP:.1f} %" in app.numbers.value
    ranking = expected.ranking(1, 4)
    assert [i["sub"] for i in app.grid.items[1:]] == [f"{d:.3f}" for d in ranking["distance"]]
    names = executed(app.code())
    assert names["result"].mAP == pytest.approx(expected.mAP)
    app.reset.click()
    app.wait()
    app.camera_filter.value = False  # compared with the descriptor as trained, counted alike
    app.wait()
    assert app.numbers.value.count("<small>+0.0</small>") == 4
    assert all(switch.value for switch in app.switches)


def test_branches_have_one_colour_everywhere(world: Any, keep: Any) -> None:
    """Bars took the colours of a query's and a match's frame."""
    app = keep(viz.rank_explorer(world.anchored, data_root=world.root, card=(0, 0), k=50))
    app.rows[0].selected = 1
    app.rows[0].clicks += 1
    app.wait()
    colours = list(theme.branch_colours(app.sessions[0].run.model.widths).values())
    shown = re.findall(r"background:(#\w{6})", app.bars.value)
    assert shown[: len(colours)] == colours
    assert not {*shown} & {theme.QUERY, theme.MATCH, theme.WRONG}


def test_all_off_is_a_sentence(world: Any, keep: Any) -> None:
    app = keep(viz.branch_mixer(world.anchored, data_root=world.root))
    app.set(weights=(0.0,) * 4)
    app.wait()
    assert "every branch has weight 0" in app.error


def test_a_model_of_one_branch_is_refused(world: Any) -> None:
    from dataclasses import replace

    from mfa.presets import variant

    run = mfa.open_run(world.anchored)
    config = replace(variant(run.config, "baseline"), seed=1)
    with pytest.raises(InputError, match="one branch only"):
        viz.branch_mixer(mfa.untrained(config), data=world.data)
