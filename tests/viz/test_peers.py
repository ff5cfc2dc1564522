"""Maps and ledgers of the compared methods: drawn as MFA's are, exact where the head allows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.text import Text

from mfa import presets
from mfa.errors import InputError
from mfa.explain import branch_maps
from mfa.explain.ledger import pair_ledger
from mfa.inference.external import from_callable
from mfa.inference.external.scoring import evaluate_external
from mfa.models import ReidNetwork, build_model
from mfa.models.peers import names
from mfa.runs.run import untrained
from viz.grids.rank_grid import draw_rank_grid
from viz.paper.captions import describe

EXACT = ("agw", "bagtricks", "daaf_bot_like", "gasm_like", "isp_like", "pcb", "ra_loss_like")
"""Mean or generalised mean, then something affine. The others take a maximum, or put a ReLU or a
transformer's block between map and descriptor."""


def network_of(name: str) -> ReidNetwork:
    torch.manual_seed(0)
    config = replace(presets.get(f"{name}-demo").model, width=8)
    network = build_model(config, 3)
    network.train()(torch.rand(6, 3, 96, 48))  # normalisations that have seen something
    return network.eval()


@pytest.mark.parametrize("name", names())
def test_maps_of_every_branch_and_layer(name: str) -> None:
    network = network_of(name)
    images = torch.rand(2, 3, 96, 48)
    maps = branch_maps(network, images)
    assert list(maps) == [*network.widths, "fused"]
    for branch, drawn in maps.items():
        assert drawn.shape == (2, 96, 48)
        assert np.abs(drawn).max() > 0, branch
    for branch in maps.stripes:
        top, bottom = network.stripes[branch]
        # What lies a good deal outside the stripe has no part in the branch.
        height = maps.raw[branch].shape[1]
        rows = np.arange(height)
        outside = (rows + 1 <= top * height - 1) | (rows >= bottom * height + 1)
        assert np.abs(maps.raw[branch][:, outside]).max(initial=0) == 0, branch
    deep = branch_maps(network, images, layer=network.layers[0])
    assert np.abs(deep["fused"]).max() > 0


@pytest.mark.parametrize("name", names())
def test_the_ledger_closes_or_says_why_it_cannot(name: str) -> None:
    network = network_of(name)
    query, gallery = torch.rand(2, 1, 3, 96, 48)
    if name in EXACT:
        ledger = pair_ledger(network, query, gallery)
        with torch.no_grad():
            wanted = (network(query).descriptor * network(gallery).descriptor).sum().item()
        assert ledger.score == pytest.approx(wanted, abs=1e-5)
        assert ledger.residual < 1e-5
        assert set(ledger.branches) == set(network.widths)
    else:
        with pytest.raises(InputError, match="no exact ledger"):
            pair_ledger(network, query, gallery)


def test_a_model_from_elsewhere_appears_in_a_rank_grid_beside_a_run(scored: Any) -> None:
    model = from_callable(lambda x: x.mean(axis=3).reshape(len(x), -1), name="means", size=(64, 32))
    results = {"run": scored.result, "means": evaluate_external(model, scored.data)}
    one = draw_rank_grid(scored.result, scored.data, [0, 1], 3)
    both = draw_rank_grid(results, scored.data, [0, 1], 3)
    assert both.get_figheight() > 1.5 * one.get_figheight()
    words = {text.get_text() for text in both.findobj(Text)}
    assert {"run", "means"} <= {word.split()[0] for word in words if word}


def test_captions_name_the_method() -> None:
    assert describe(untrained(presets.get("agw-demo"))) == "the compared method agw"
    assert "clusters" in describe(untrained(presets.get("isp_like-demo")))
