"""Point to point: summed over the query's pixels it is the pixels' part of the cosine."""

import numpy as np
import pytest
import torch

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.explain.correspondence import correspond
from mfa.explain.ledger import decompose
from mfa.models import build_model
from viz.grids.correspondence import draw_correspondence

IMAGES = torch.rand(2, 3, 32, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    built = build_model(
        ModelConfig(trunk="resnet10", width=8, stride=8, gate="guided", branches=2)
    ).eval()
    for head in built.heads.values():
        head.neck.running_mean.normal_(0.5, 0.2)
        head.neck.bias.data.normal_()
    return built


def test_all_points_together_are_the_dot_product_of_the_pixels_parts(network):
    one, two = (decompose(network, IMAGES[i : i + 1]) for i in (0, 1))
    points = [(8 * i, 8 * j) for i in range(4) for j in range(2)]
    found = [correspond(network, IMAGES[0], IMAGES[1], point) for point in points]
    assert [f.pixel for f in found] == [(i, j) for i in range(4) for j in range(2)]
    for name, neck in one.necks.items():
        scale = neck.weight.detach() / (neck.running_var + neck.eps).sqrt()
        sides = [scale * d.parts[name][0].sum((1, 2)) for d in (one, two)]
        expected = float((sides[0] @ sides[1]) / (one.lengths * two.lengths))
        assert sum(f.maps[name].sum() for f in found) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(
        found[0].maps["fused"], found[0].maps["branch1"] + found[0].maps["branch2"]
    )


def test_against_an_average_picture_what_both_have_in_common_with_it_is_gone(network):
    found = correspond(network, IMAGES[0], IMAGES[1], (5, 5), reference=IMAGES[:1])
    assert max(np.abs(heat).max() for heat in found.maps.values()) < 1e-12  # the query is average
    others = torch.rand(3, 3, 32, 16, generator=torch.Generator().manual_seed(2))
    one, two = (decompose(network, IMAGES[i : i + 1]) for i in (0, 1))
    usual = decompose(network, others)
    points = [(8 * i, 8 * j) for i in range(4) for j in range(2)]
    found = [correspond(network, *IMAGES, point, reference=others) for point in points]
    for name, neck in one.necks.items():
        scale = neck.weight.detach() / (neck.running_var + neck.eps).sqrt()
        mean = usual.parts[name].mean(dim=0)
        sides = [scale * (d.parts[name][0] - mean).sum((1, 2)) for d in (one, two)]
        expected = float((sides[0] @ sides[1]) / (one.lengths * two.lengths))
        assert sum(f.maps[name].sum() for f in found) == pytest.approx(expected, rel=1e-5)


def test_a_moved_patch_is_found_where_it_went(network):
    gallery = torch.full((3, 32, 32), 0.5)
    query = gallery.clone()
    patch = torch.zeros(3, 8, 8)
    patch[0] = 1
    query[:, 4:12, 4:12], gallery[:, 20:28, 20:28] = patch, patch
    found = correspond(network, query, gallery, (8, 8))
    row, column = found.peaks["fused"]
    assert row >= 16
    assert column >= 16


def test_figure_marks_the_point_and_the_peaks(network):
    found = correspond(network, IMAGES[0], IMAGES[1], (5, 5))
    figure = draw_correspondence(found, IMAGES[0], IMAGES[1])
    panels = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in panels] == ["query", "branch1", "branch2", "fused"]
    assert panels[0].lines[0].get_xydata().tolist() == [[5, 5]]


def test_a_point_outside_is_refused(network):
    with pytest.raises(InputError, match="outside the query picture of 32 x 16"):
        correspond(network, IMAGES[0], IMAGES[1], (32, 0))


@pytest.mark.parametrize("width", ["single", "double"])
def test_words_of_the_figure_stay_apart(network, width, words_apart):
    found = correspond(network, IMAGES[0], IMAGES[1], (4, 4))
    words_apart(draw_correspondence(found, IMAGES[0], IMAGES[1], width=width), least=8)
