"""The figure of branch maps: its grid, its scale, its words."""

import numpy as np
import pytest
import torch

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.explain import branch_maps
from mfa.models import build_model
from viz import theme
from viz.grids.maps import draw_maps

IMAGES = torch.rand(2, 3, 64, 32, generator=torch.Generator().manual_seed(1))


def network(branches=4):
    torch.manual_seed(0)
    settings = {"cpaa": ()} if branches == 0 else {"gate": "anchored"}
    return build_model(
        ModelConfig(trunk="resnet10", width=8, stride=8, branches=branches, **settings)
    )


def panels(figure):
    return [axis for axis in figure.axes if axis.images]


def test_a_row_a_picture_and_a_column_a_branch():
    maps = branch_maps(network(), IMAGES)
    figure = draw_maps(maps, IMAGES)
    titles = [axis.get_title() for axis in panels(figure)]
    assert titles[:6] == ["picture", "branch1", "branch2", "branch3", "branch4", "fused\n(sum)"]
    assert len(titles) == 12
    assert panels(figure)[5].get_xlabel() == f"{maps.scores['fused'][0]:+.2f}"


def test_a_network_without_branches_has_one_map_and_no_sum():
    maps = branch_maps(network(0), IMAGES)
    figure = draw_maps(maps, IMAGES)
    assert [axis.get_title() for axis in panels(figure)][:2] == ["picture", "global"]
    assert len(panels(figure)) == 4
    assert not any(axis.patches for axis in panels(figure))  # no stripes


def test_one_scale_for_all_maps():
    maps = branch_maps(network(), IMAGES)
    figure = draw_maps(maps, IMAGES)
    bar = next(axis for axis in figure.axes if axis.get_ylabel().startswith("part of"))
    low, high = bar.get_ylim()
    assert low == pytest.approx(-high)
    values = np.abs(np.concatenate([maps[name].ravel() for name in maps]))
    assert maps.limit == pytest.approx(float(np.quantile(values, 0.995)))


def test_the_papers_fused_picture_is_named_as_such():
    maps = branch_maps(network(), IMAGES, fused="mean")
    top = np.quantile(maps["fused"], 0.995)
    figure = draw_maps(maps, IMAGES)
    assert panels(figure)[5].get_title() == f"fused (mean,\n0 to {top:.2f})"


def test_outlines_can_be_left_out():
    figure = draw_maps(branch_maps(network(), IMAGES), IMAGES, outlines=False)
    assert not any(axis.patches for axis in panels(figure))


def test_maps_of_other_pictures_are_refused():
    maps = branch_maps(network(), IMAGES)
    with pytest.raises(InputError, match="do not belong to pictures"):
        draw_maps(maps, IMAGES[:1])


@pytest.mark.parametrize("width", ["single", "double"])
@pytest.mark.parametrize("pictures", [1, 2])
def test_words_stay_inside_the_figure_and_off_each_other(width, pictures, words_apart):
    images = IMAGES[:pictures]
    maps = branch_maps(network(), images, fused="mean", reference=IMAGES)
    checks = {"random weights": maps, "shuffled target": maps}
    for beside in (None, checks):
        words_apart(draw_maps(maps, images, sanity_checks=beside, width=width), least=15)


def test_a_figure_for_print_keeps_to_its_page():
    images = torch.rand(4, 3, 64, 32)
    maps = branch_maps(network(), images)
    free = draw_maps(maps, images, sanity_checks={"random weights": maps})
    page = draw_maps(maps, images, sanity_checks={"random weights": maps}, tallest=theme.PAGE)
    assert free.get_figheight() > theme.PAGE >= page.get_figheight()
    assert page.get_figwidth() < free.get_figwidth() == theme.INCHES["double"]


def test_empty_is_written_clear_of_the_dashes():
    maps = branch_maps(network(), IMAGES, toward=-torch.ones(256))
    dashes = {edge for box in maps.stripes.values() for edge in box}
    figure = draw_maps(maps, IMAGES)
    places = [
        1 - text.get_position()[1]
        for axis in panels(figure)
        for text in axis.texts
        if text.get_text() == "empty"
    ]
    assert places
    assert all(abs(place - dash) > 0.1 for place in places for dash in dashes)
