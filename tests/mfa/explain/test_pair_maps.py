"""Maps by masks find the place a model looks at, and agree with trying every mask."""

import itertools
import json

import numpy as np
import pytest
import torch

import mfa
from mfa.cli import COMMANDS, run
from mfa.errors import InputError
from mfa.explain.geometry import MapGrid
from mfa.explain.pair_faithfulness import MASKS, SHUFFLED, pair_faithfulness, verdict
from mfa.explain.pair_maps import balanced_signs, improving_pair_maps, pair_maps, shifted_grid, veil
from mfa.inference.external import from_callable, from_run

SIZE = (32, 16)
PLACE = np.s_[8:12, 4:8]
"""One cell of 8x4 on the grid of the first block: row 2, column 1."""


def brightness(pictures):
    """Vectors whose cosine to those of a white picture is the brightness of ``PLACE``."""
    bright = pictures[:, 0][(slice(None), *PLACE)].mean(axis=(1, 2))
    return np.stack([bright, np.sqrt(1 - np.minimum(bright, 1) ** 2)], axis=1)


@pytest.fixture
def model():
    """It looks at one place, linearly."""
    return from_callable(brightness, size=SIZE)


@pytest.fixture
def pair():
    """A picture of noise with a white place, and a white one."""
    query = np.random.default_rng(0).integers(0, 60, (*SIZE, 3)).astype(np.uint8)
    query[PLACE] = 255
    return query, np.full((*SIZE, 3), 255, np.uint8)


def test_any_three_cells_are_shown_together_equally_often():
    signs = balanced_signs((3, 2), np.random.default_rng(0)).reshape(-1, 6)
    assert signs.shape == (16, 6)
    for three in itertools.combinations(range(6), 3):
        states, counts = np.unique(signs[:, three], axis=0, return_counts=True)
        assert len(states) == 8
        assert set(counts) == {2}


def test_the_map_of_a_linear_score_is_that_of_all_masks(model, pair):
    found = pair_maps(model, *pair, cells=(2, 2))
    grid = shifted_grid((2, 2), 0)
    every = np.array(list(itertools.product((-1, 1), repeat=4)), np.float32).reshape(-1, 2, 2)
    picture = pair[0].transpose(2, 0, 1)
    scores = brightness(veil(picture, grid.enlarge(every / 2 + 0.5, SIZE)) / np.float32(255))[:, 0]
    effects = [
        [scores[every[:, i, j] > 0].mean() - scores[every[:, i, j] < 0].mean() for j in (0, 1)]
        for i in (0, 1)
    ]
    oracle = grid.enlarge(np.array(effects, np.float32), SIZE)
    np.testing.assert_allclose(found.query.map, oracle, atol=0.003)  # pictures are 8-bit
    assert found.score == pytest.approx(1)


def test_the_place_is_found_and_no_other(model, pair):
    found = pair_maps(model, *pair)
    cells = MapGrid.even(8, 4).pool(torch.from_numpy(found.query.map)).numpy()
    assert np.unravel_index(cells.argmax(), (8, 4)) == (2, 1)
    far = np.ones((8, 4), bool)
    far[1:4, 0:3] = False
    assert abs(cells[far]).max() < 0.05 * cells.max()
    assert found.masks == 64
    assert abs(found.gallery.map).max() < 1e-6  # a white picture has nothing to hide


def test_each_block_adds_masks_and_is_computed_when_asked_for(pair):
    asked = []

    def counted(pictures):
        asked.append(len(pictures))
        return brightness(pictures)

    steps = improving_pair_maps(from_callable(counted, size=SIZE), *pair, blocks=50)
    first, second = next(steps), next(steps)
    assert (first.masks, second.masks) == (64, 128)
    assert sum(asked) == 2 + 2 * 128
    again = pair_maps(from_callable(brightness, size=SIZE), *pair, blocks=2)
    np.testing.assert_array_equal(second.query.map, again.query.map)
    assert not np.array_equal(first.query.map, second.query.map)


def test_grids_differ_by_less_than_a_cell():
    starts = {block: shifted_grid((4, 2), block) for block in range(20)}
    assert starts[0] == MapGrid.even(4, 2)
    assert len({grid.rows.first for grid in starts.values()}) == 20
    assert all(0 <= 2 * grid.columns.first < 1 for grid in starts.values())


def test_hiding_the_map_costs_more_than_hiding_by_chance(model, pair):
    maps = pair_maps(model, *pair)
    table = pair_faithfulness(model, maps, shares=[0.1, 0.3])
    assert len(table) == 2 * 2 * 2 * 2
    change = table[table["side"] == "query"].groupby(["mode", "map"])["change"].mean()
    assert change["deletion", MASKS] < -0.5 < change["deletion", SHUFFLED]
    assert change["insertion", MASKS] > -0.2 > change["insertion", SHUFFLED]
    assert verdict(table).startswith("The maps beat their control: hiding their top changes")
    swapped = table.assign(map=table["map"].map({MASKS: SHUFFLED, SHUFFLED: MASKS}))
    assert verdict(swapped).startswith("Do not trust these maps")


def test_a_run_is_explained_like_any_other_model(tiny_run, tiny_data):
    opened = mfa.open_run(tiny_run, "cpu")
    paths = [sample.path for sample in tiny_data.query[:2]]
    maps = pair_maps(opened, *paths)
    pixels = np.stack([side.picture for side in maps.sides.values()])
    found, expected = from_run(opened).embed(pixels), mfa.embed_picture(opened, paths[0])
    cosine = found[0] @ expected.ravel() / np.linalg.norm(found[0]) / np.linalg.norm(expected)
    assert cosine == pytest.approx(1, abs=1e-3)
    assert maps.query.map.shape == from_run(opened).size


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"blocks": 0}, "got 0 and"), ({"cells": (40, 4)}, "cells 1 to 32")],
)
def test_numbers_out_of_range_are_refused_before_anything_is_computed(model, pair, settings, words):
    with pytest.raises(InputError, match=words):
        improving_pair_maps(model, *pair, **settings)


def test_what_embeds_nothing_is_refused(model, pair):
    with pytest.raises(InputError, match=r"embeds no pictures; give mfa\.load_external"):
        pair_maps("tiny.onnx", *pair)
    maps = pair_maps(model, *pair)
    with pytest.raises(InputError, match="between 0 and 1"):
        pair_faithfulness(model, maps, shares=[2])


def test_the_command_explains_a_run_and_a_function(tiny_run, tiny_data, tmp_path, capsys):
    words = [str(sample.path) for sample in tiny_data.query[:2]]
    code = tmp_path / "theirs.py"
    code.write_text("def mean(pictures):\n    return pictures.mean(axis=(2, 3))\n")
    for model in (str(tiny_run), f"{code}:mean,size=24x12"):
        out = tmp_path / "maps.npz"
        assert run("mfa", COMMANDS, ["explain", "pair", model, *words, "--out", str(out)]) == 0
        printed = capsys.readouterr().out
        assert "64 masks of each picture" in printed
        assert "shuffled masks by" in printed
    with np.load(out) as arrays:
        assert arrays["query"].shape == (24, 12)
        assert arrays["gallery_shuffled"].shape == (3, 24, 12)
    assert run("mfa", COMMANDS, ["explain", "pair", str(tiny_run), *words, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["faithfulness"]) == 2 * 2 * 2 * 4
    assert run("mfa", COMMANDS, ["explain", "pair", "nothing", *words]) == 2
    assert "no run and no model 'nothing'" in capsys.readouterr().err
