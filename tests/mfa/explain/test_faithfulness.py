"""Hiding what matters costs AP, hiding what does not costs nothing."""

import numpy as np
import pytest
import torch
from torch import nn

from mfa.errors import InputError
from mfa.explain.faithfulness import (
    EDGES,
    SHUFFLED,
    SILHOUETTE,
    faithfulness,
    hide,
    picture_controls,
)
from mfa.explain.geometry import MapGrid
from mfa.records import Branch, Features, FeatureSet, Output
from mfa.synthetic import PARTS


class TopRow(nn.Module):
    """A network whose embedding is the colours of the picture's first row."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images, cameras=None):
        row = images[:, :, 0].flatten(1)
        return Output(images, {"global": Branch(images, row, row)}, row)


@pytest.fixture
def scene():
    """Four persons told apart by their first row alone; two pictures each."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(4, 3, 10, 4, generator=generator)
    again = images.clone()
    again[:, :, 1:] = torch.rand(4, 3, 9, 4, generator=generator)
    network = TopRow()
    pids, names = np.arange(4), np.array(list("abcd"))
    sides = [
        FeatureSet(network(side).descriptor.detach().numpy(), pids, np.full(4, camera), names)
        for camera, side in enumerate((images, again))
    ]
    return network, Features(*sides), images


def test_hide_covers_the_highest_share_with_the_mean_colour():
    images = torch.rand(2, 3, 10, 4)
    kept = images.clone()
    heat = np.zeros((2, 10, 4), np.float32)
    heat[:, :2] = 1
    grid = MapGrid.even(10, 4)
    hidden = hide(images, heat, 0.2, grid)
    shown = hide(images, heat, 0.2, grid, mode="insertion")
    least = hide(images, -heat, 0.2, grid, mode="least_first")
    mean = images.mean(dim=(2, 3), keepdim=True)
    assert torch.equal(hidden[:, :, 2:], images[:, :, 2:])
    assert torch.allclose(hidden[:, :, :2], mean.expand(-1, -1, 2, 4))
    assert torch.equal(shown[:, :, :2], images[:, :, :2])
    assert torch.allclose(shown[:, :, 2:], mean.expand(-1, -1, 8, 4))
    assert torch.equal(least, hidden)
    assert torch.equal(images, kept)


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")
def test_road_interpolates_what_is_hidden_with_the_same_noise_each_time():
    ramp = torch.linspace(0, 1, 12).expand(1, 3, 10, 12).contiguous()
    heat = np.zeros((1, 10, 12), np.float32)
    heat[:, 4:6, 5:8] = 1  # six pixels in the middle
    before = torch.random.get_rng_state()
    filled = hide(ramp, heat, 6 / 120, MapGrid.even(10, 12), fill="road")
    assert torch.equal(torch.random.get_rng_state(), before)
    # A plane solves the equations of linear interpolation; the noise has a deviation of 0.01.
    torch.testing.assert_close(filled, ramp, atol=0.06, rtol=0)
    assert (filled != ramp).any(dim=1).sum() == 6
    assert torch.equal(filled, hide(ramp, heat, 6 / 120, MapGrid.even(10, 12), fill="road"))
    mean = hide(ramp, heat, 6 / 120, MapGrid.even(10, 12))
    assert (mean - ramp).abs().max() > 0.06


def test_controls_are_the_person_and_the_edges():
    images = torch.zeros(1, 3, 9, 7)
    images[..., 4:] = 1  # one upright edge, in the middle of columns 3 and 4
    parts = np.zeros((1, 9, 7), np.uint8)
    parts[0, 2:7, 1:6] = PARTS.index("torso")
    parts[0, 0] = PARTS.index("occluder")
    maps = picture_controls(images, parts)
    assert np.unravel_index(maps[SILHOUETTE][0].argmax(), (9, 7)) == (4, 3)
    assert ((maps[SILHOUETTE][0] > 0) == (parts[0] == PARTS.index("torso"))).all()
    assert (maps[EDGES][0].sum(axis=0) > 0).tolist() == [False] * 3 + [True] * 2 + [False] * 2


def test_a_true_map_is_told_from_a_false_one(scene):
    network, features, images = scene
    true, false = np.zeros((2, 4, 10, 4), np.float32)
    true[:, 0], false[:, 5] = 1, 1
    maps = {"false": false, "true": true}
    modes = ("deletion", "insertion", "least_first")
    table = faithfulness(network, features, range(4), images, maps, shares=[0.1], modes=modes)
    change = table.groupby(["mode", "map"])["AP_change"].mean()
    assert change["deletion", "false"] == 0
    assert change["deletion", "true"] < -0.2
    assert change["insertion", "true"] == change["least_first", "true"] == 0
    assert change["insertion", "false"] < -0.2
    assert set(table["map"]) == {"true", "false", SHUFFLED}
    assert (table[table["AP_change"] < 0]["rank_change"] > 0).all()


def test_a_subset_of_the_queries_keeps_their_positions(scene):
    network, features, images = scene
    heat = np.ones((2, 10, 4), np.float32)
    table = faithfulness(network, features, [3, 1], images[[3, 1]], {"m": heat}, shares=[0.5])
    assert sorted(set(table["query"])) == [1, 3]
    assert table[table["picture"] == 0]["query"].eq(3).all()


@pytest.mark.parametrize(
    ("queries", "settings", "words"),
    [
        ([0], {}, "as many: 1 queries, 4 pictures"),
        (range(4), {"shares": [1.5]}, "between 0 and 1"),
        (range(4), {"fill": "grey"}, "no 'grey'; there are mean, road"),
        (range(4), {"modes": ["least"]}, "no 'least'; there are deletion, insertion, least_first"),
    ],
)
def test_what_does_not_fit_is_refused(scene, queries, settings, words):
    network, features, images = scene
    maps = {"m": np.ones((4, 5, 2), np.float32)}
    with pytest.raises(InputError, match=words):
        faithfulness(network, features, queries, images, maps, **settings)
