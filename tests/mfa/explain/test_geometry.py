"""Centres of map pixels: read off the layers, held against the gradient of single pixels."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from mfa import presets
from mfa.config import Trunk
from mfa.explain.geometry import Axis, MapGrid, map_grids
from mfa.models import build_model
from mfa.models.heads import Head
from mfa.models.network import ReidNetwork
from mfa.models.peers import names
from mfa.models.pooling import GAP


class Layers(ReidNetwork):
    """A network whose trunk is any stack of layers."""

    def __init__(self, *layers):
        trunk = nn.Sequential(*layers)
        super().__init__(trunk, {"global": Head(1, GAP(), 0)})


STACKS = {
    "stride and padding": [nn.Conv2d(3, 1, 3, stride=2, padding=1), nn.Conv2d(1, 1, 3, 2, 1)],
    "no padding": [nn.Conv2d(3, 1, 5, stride=3), nn.Conv2d(1, 1, 3, stride=2)],
    "patches": [nn.Conv2d(3, 1, 8, stride=8)],
    "dilated": [nn.Conv2d(3, 1, 3, dilation=4, padding=2, stride=2)],
    "padded on one side": [nn.ZeroPad2d((0, 1, 0, 2)), nn.Conv2d(3, 1, 3, stride=2)],
    "padded before": [nn.ZeroPad2d((3, 0, 1, 0)), nn.Conv2d(3, 1, 3, stride=2)],
    "mean": [nn.Conv2d(3, 1, 1), nn.AvgPool2d(3, 2, 1), nn.AvgPool2d(2)],
    "enlarged": [nn.AvgPool2d(4), nn.Conv2d(3, 1, 1), nn.Upsample(scale_factor=2)],
}


@pytest.mark.parametrize("name", STACKS)
def test_a_field_is_centred_where_the_layers_say(name):
    network = Layers(*STACKS[name]).eval()
    for parameter in network.trunk.parameters():
        nn.init.constant_(parameter, 1.0)
    size = (64, 48)
    images = torch.rand(1, 3, *size, requires_grad=True)
    found = network.trunk_map(images)
    grid = map_grids(network, size, "trunk")["global"]
    assert found.shape[2:] == (grid.rows.count, grid.columns.count)
    pairs = 2 if name == "enlarged" else 1  # neighbours that are copies of one pixel
    i, j = grid.rows.count // 2, grid.columns.count // 2
    (field,) = torch.autograd.grad(found[0, 0, i : i + pairs, j : j + pairs].sum(), images)
    for side, first, axis in ((1, i, grid.rows), (2, j, grid.columns)):
        seen = torch.nonzero(field[0].abs().sum(dim=(0, 3 - side)))[:, 0].double()
        middle = axis.centres()[first : first + pairs].mean() * size[side - 1] - 0.5
        assert middle == pytest.approx((seen.min() + seen.max()).item() / 2)


def field_error(network, size, layer="branch", axis=0):
    """How far the energy of the gradient of inner map pixels lies from their centres, in steps.

    The energy is averaged over pixels, each shifted to its own centre, within one step and a half.
    What a global layer lets in from everywhere is the same on both sides, and is subtracted.
    """
    grids = map_grids(network, size, layer)
    name, grid = next(iter(grids.items()))
    side = (grid.rows, grid.columns)[axis]
    step, reach = side.step * size[axis], int(1.5 * side.step * size[axis])
    total = np.zeros(2 * reach + 1)
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1), requires_grad=True)
    trunk = network.trunk_map(images)
    maps = dict(network.named_heads())[name].refine(trunk) if layer == "branch" else trunk
    maps = maps if layer in ("branch", "trunk") else network.map_at(layer, images)
    for i in np.linspace(2, side.count - 3, 4).astype(int):
        centre = side.centres()[i] * size[axis] - 0.5
        pixel = maps.select(2 + axis, i)
        signs = torch.randn(pixel.shape, generator=torch.Generator().manual_seed(int(i)))
        (field,) = torch.autograd.grad((pixel * signs).sum(), images, retain_graph=True)
        energy = field.square().sum(dim=(0, 1, 3 - axis)).double().numpy()
        if not energy.any():  # a branch that sees its stripe alone
            continue
        places = centre + np.arange(-reach, reach + 1)
        total += np.interp(places, np.arange(size[axis]), energy / energy.sum())
    total -= total.min()
    return float((total * np.arange(-reach, reach + 1)).sum() / total.sum() / step)


def demo(name):
    config = presets.get(f"{name}-demo")
    return replace(config.model, weights="none")


@pytest.mark.parametrize("name", names())
def test_every_compared_network(name):
    torch.manual_seed(0)
    network = build_model(demo(name)).eval()
    assert abs(field_error(network, (128, 64))) < 0.2


TRUNKS = [name for name in get_args(Trunk) if not name.startswith("vit") and name != "osnet"]
"""Those of MFA; compared networks have the others."""


@pytest.mark.parametrize("trunk", TRUNKS)
@pytest.mark.parametrize("layer", ["trunk", "layer2"])
def test_every_trunk(trunk, layer):
    torch.manual_seed(0)
    model = replace(presets.paper().model, trunk=trunk, weights="none")
    network = build_model(model).eval()
    size = (160, 64)
    assert abs(field_error(network, size, layer)) < 0.2


def test_the_old_even_drawing_is_half_a_pixel_off():
    torch.manual_seed(0)
    network = build_model(replace(presets.demo().model, weights="none")).eval()
    grid = map_grids(network, (96, 48))["branch1"]
    even = MapGrid.even(12, 6)
    assert grid.rows.centres() * 96 == pytest.approx(8 * np.arange(12) + 0.5)
    assert (even.rows.centres() - grid.rows.centres()) * 96 == pytest.approx(3.5)


def test_enlarged_maps_pass_through_their_pixels_and_keep_a_constant():
    grid = MapGrid(Axis(0.5 / 32, 8 / 32, 4), Axis(0.5 / 16, 8 / 16, 2))
    maps = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    fine = grid.enlarge(maps, (32, 16))
    np.testing.assert_allclose(fine[:, ::8, ::8], maps, rtol=1e-6)
    np.testing.assert_allclose(fine[:, 28:, 12:], maps[:, 3:, 1:] * np.ones((1, 4, 4)), rtol=1e-6)
    np.testing.assert_allclose(grid.enlarge(np.ones((1, 4, 2)), (32, 16)), 1, rtol=1e-6)
    for pixel in ((0, 0), (2, 1), (3, 1)):
        assert grid.pixel(grid.point(pixel, (32, 16)), (32, 16)) == pixel
        assert grid.point(pixel, (32, 16)) == (8 * pixel[0], 8 * pixel[1])
    assert grid.pixel((31, 15), (32, 16)) == (3, 1)


def test_pooled_areas_share_out_the_sum_of_a_map():
    grid = MapGrid(Axis(0.5 / 32, 8 / 32, 4), Axis(0.5 / 16, 8 / 16, 2))
    areas = torch.zeros(3, 32, 16)
    areas[0, :10], areas[1, 10:20], areas[2, 20:] = 1, 1, 1
    pooled = grid.pool(areas)
    torch.testing.assert_close(pooled.sum(dim=0), torch.ones(4, 2))
    torch.testing.assert_close(pooled[0, 0], torch.ones(2))
    torch.testing.assert_close(pooled[2, 3], torch.ones(2))


def test_stripes_end_where_their_rows_end():
    grid = MapGrid(Axis(0.5 / 32, 8 / 32, 4), Axis(0.5 / 16, 8 / 16, 2))
    assert grid.box((0, 0.5)) == pytest.approx((0, 12.5 / 32))
    assert grid.box((0.5, 1)) == pytest.approx((12.5 / 32, 1))


def test_what_cannot_be_followed_is_spread_evenly():
    class Rebuilt(nn.Module):
        def forward(self, x):
            return torch.tensor(x.mean(dim=1, keepdim=True)[:, :, ::8, ::8].tolist())

    grid = map_grids(Layers(Rebuilt()).eval(), (64, 32), "trunk")["global"]
    assert grid == MapGrid.even(8, 4)
