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


@pytest.fixture(scope="module")
def maps():
    return branch_maps(network(), IMAGES)


@pytest.fixture(scope="module")
def mean():
    return branch_maps(network(), IMAGES, fused="mean", reference=IMAGES)


def panels(figure):
    return [axis for axis in figure.axes if axis.images]


def test_a_row_a_picture_and_a_column_a_branch(maps):
    figure = draw_maps(maps, IMAGES)
    titles = [axis.get_title() for axis in panels(figure)]
    assert titles[:6] == ["picture", "branch1", "branch2", "branch3", "branch4", "fused\n(sum)"]
    assert len(titles) == 12


def test_the_number_under_a_map_is_the_sum_of_that_map(maps, mean):
    shown = panels(draw_maps(maps, IMAGES))[1:6]
    sums = [f"{maps.raw[name][0].sum():+.2f}" for name in maps]
    assert [axis.get_xlabel() for axis in shown] == sums
    fused = panels(draw_maps(mean, IMAGES))[5]
    assert fused.get_xlabel() == ""  # such a mean is no part of a score


def test_a_network_without_branches_has_one_map_and_no_sum():
    maps = branch_maps(network(0), IMAGES)
    figure = draw_maps(maps, IMAGES)
    assert [axis.get_title() for axis in panels(figure)][:2] == ["picture", "global"]
    assert len(panels(figure)) == 4
    assert not any(axis.patches for axis in panels(figure))  # no stripes


@pytest.mark.parametrize("fusing", ["maps", "mean"])
def test_branches_share_a_scale_and_the_fused_map_has_its_own(fusing, request):
    maps = request.getfixturevalue(fusing)
    figure = draw_maps(maps, IMAGES)
    each, fused = (axis for axis in figure.axes if axis.get_xlabel().startswith(("each", "fused")))
    values = np.abs(np.concatenate([maps[name].ravel() for name in maps.branches]))
    assert each.get_xlim()[1] == pytest.approx(float(np.quantile(values, 0.995)))
    assert each.get_xlim()[0] == -each.get_xlim()[1]
    assert fused.get_xlim()[1] == pytest.approx(float(np.quantile(np.abs(maps["fused"]), 0.995)))
    assert fused.get_xlim()[0] == (0 if fusing == "mean" else -fused.get_xlim()[1])
    assert "part of the score" not in fused.get_xlabel()


def test_maps_that_add_up_to_no_score_do_not_say_so():
    figure = draw_maps(branch_maps(network(), IMAGES, method="GradCAM"), IMAGES)
    assert not any("part of the score" in axis.get_xlabel() for axis in figure.axes)


def test_rows_of_another_network_have_a_scale_of_their_own_whatever_they_are_called(maps):
    other = network()
    with torch.no_grad():
        other.heads["branch1"].neck.weight.mul_(9)
    rows = {"random": maps, "before": branch_maps(other, IMAGES)}
    figure = draw_maps(maps, IMAGES, sanity_checks=rows)
    words = {text.get_text() for axis in figure.axes for text in axis.texts}
    assert "random" in words
    assert not any(text.startswith("random\n") for text in words)
    assert any(text.startswith("before\n(±") for text in words)


def test_what_argues_against_is_hatched():
    maps = branch_maps(network(), IMAGES, target="contrast", toward=(IMAGES[:1], IMAGES[1:]))
    figure = draw_maps(maps, IMAGES)
    assert any(one.get_gid() == "against" for axis in figure.axes for one in axis.collections)


def test_outlines_can_be_left_out(maps):
    figure = draw_maps(maps, IMAGES, outlines=False)
    assert not any(axis.patches for axis in panels(figure))


def test_maps_of_other_pictures_are_refused(maps):
    with pytest.raises(InputError, match="do not belong to pictures"):
        draw_maps(maps, IMAGES[:1])


@pytest.mark.parametrize("width", ["single", "double"])
def test_words_stay_inside_the_figure_and_off_each_other(width, mean, words_apart):
    checks = {"random weights": mean, "shuffled target": mean}
    for beside in (None, checks):
        words_apart(draw_maps(mean, IMAGES, sanity_checks=beside, width=width), least=15)


@pytest.mark.parametrize(("people", "width"), [(12, "cvpr-single"), (8, "ieee-double")])
def test_many_people_fit_a_page_and_can_be_read(people, width, words_apart):
    images = torch.rand(people, 3, 64, 32)
    figure = draw_maps(branch_maps(network(), images), images, width=width, tallest=theme.PAGE)
    assert figure.get_figheight() <= theme.PAGE
    assert figure.get_figwidth() <= theme.INCHES[width] + 1e-6
    words_apart(figure, least=6 * people)


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
