"""Hiding what matters costs AP, hiding what does not costs nothing."""

import numpy as np
import pytest
import torch
from torch import nn

from mfa.errors import InputError
from mfa.explain.faithfulness import SHUFFLED, faithfulness, hide
from mfa.explain.geometry import MapGrid
from mfa.records import Branch, Features, FeatureSet, Output


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
    hidden, shown = (
        hide(images, heat, 0.2, MapGrid.even(10, 4), keep=keep) for keep in (False, True)
    )
    mean = images.mean(dim=(2, 3), keepdim=True)
    assert torch.equal(hidden[:, :, 2:], images[:, :, 2:])
    assert torch.allclose(hidden[:, :, :2], mean.expand(-1, -1, 2, 4))
    assert torch.equal(shown[:, :, :2], images[:, :, :2])
    assert torch.allclose(shown[:, :, 2:], mean.expand(-1, -1, 8, 4))
    assert torch.equal(images, kept)


def test_a_true_map_is_told_from_a_false_one(scene):
    network, features, images = scene
    true, false = np.zeros((2, 4, 10, 4), np.float32)
    true[:, 0], false[:, 5] = 1, 1
    maps = {"false": false, "true": true}
    table = faithfulness(network, features, range(4), images, maps, shares=[0.1])
    change = table.groupby(["mode", "map"])["AP_change"].mean()
    assert change["deletion", "false"] == 0
    assert change["deletion", "true"] < -0.2
    assert change["insertion", "true"] == 0
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
    ("queries", "shares", "words"),
    [([0], [0.1], "as many: 1 queries, 4 pictures"), (range(4), [1.5], "between 0 and 1")],
)
def test_what_does_not_fit_is_refused(scene, queries, shares, words):
    network, features, images = scene
    with pytest.raises(InputError, match=words):
        faithfulness(
            network, features, queries, images, {"m": np.ones((4, 5, 2), np.float32)}, shares=shares
        )
