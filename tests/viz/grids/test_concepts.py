"""Common parts: a planted factorisation is found, and the parts add up."""

import numpy as np
import pytest
import torch

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.explain.concepts import common_parts, factorise
from mfa.explain.geometry import MapGrid
from mfa.explain.ledger import pair_ledger
from mfa.models import build_model
from viz.grids.concepts import draw_common_parts, paint

IMAGES = torch.rand(3, 3, 64, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build_model(ModelConfig(trunk="resnet10", width=8, stride=8, gate="guided")).eval()


def test_factorisation_finds_what_was_planted():
    kinds = torch.zeros(2, 6, dtype=torch.float64)
    kinds[0, :3], kinds[1, 3:] = 1, 2
    held = torch.rand(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    held[:20, 0], held[20:, 1] = 0, 0
    found, concepts = factorise(held @ kinds, 2)
    np.testing.assert_allclose(found @ concepts, held @ kinds, atol=1e-3)
    assert (found >= 0).all()
    cosines = concepts @ (kinds / kinds.norm(dim=1, keepdim=True)).T
    np.testing.assert_allclose(cosines.sort(dim=1).values, [[0, 1], [0, 1]], atol=1e-2)


def test_more_rounds_never_fit_worse():
    rows = torch.rand(30, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    errors = [
        float((rows - torch.mm(*factorise(rows, 3, rounds=n))).square().sum()) for n in (1, 5, 50)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_concepts_share_out_the_cosine(network):
    parts = common_parts(network, IMAGES, concepts=3)
    assert parts.weights.shape == (3, 3, 8, 4)
    assert (parts.weights >= 0).all()
    assert 0 < parts.explained <= 1
    for i in (1, 2):
        ledger = pair_ledger(network, IMAGES[0], IMAGES[i])
        assert parts.scores[i - 1] == pytest.approx(ledger.score, abs=1e-6)
        pixels = sum(part.gallery_map.sum() for part in ledger.branches.values())
        assert parts.shares[i - 1].sum() == pytest.approx(pixels, abs=1e-5)
        assert parts.shares[i - 1].sum() + parts.bias[i - 1] == pytest.approx(ledger.score)


def test_against_an_average_picture_only_what_exceeds_it_is_factorised(network):
    parts = common_parts(network, IMAGES, reference=IMAGES[:1])
    assert parts.weights[0].max() < 1e-6 * parts.weights[1:].max()  # the query is the average
    ledger = pair_ledger(network, IMAGES[0], IMAGES[1], reference=IMAGES[:1])
    assert parts.shares[0].sum() + parts.bias[0] == pytest.approx(ledger.score)


def test_the_same_seed_gives_the_same_parts(network):
    one, two = (common_parts(network, IMAGES, layer="branch2") for _ in range(2))
    np.testing.assert_array_equal(one.weights, two.weights)


def test_a_place_takes_the_colour_of_its_strongest_concept():
    weights = np.zeros((2, 2, 1))
    weights[0, 0], weights[1, 1] = 1, 1
    drawn = paint(
        np.full((8, 4, 3), 128, np.uint8), weights, MapGrid.even(2, 1), np.eye(3)[:2]
    ).astype(int)
    assert drawn[0, 0, 0] > drawn[0, 0, 1]
    assert drawn[-1, 0, 1] > drawn[-1, 0, 0]


def test_figure_has_a_column_for_each_picture(network):
    figure = draw_common_parts(common_parts(network, IMAGES), IMAGES)
    assert len([axis for axis in figure.axes if axis.images]) == 6
    with pytest.raises(InputError, match="2 pictures but parts of 3"):
        draw_common_parts(common_parts(network, IMAGES), IMAGES[:2])


@pytest.mark.parametrize(
    ("images", "settings", "words"),
    [
        (IMAGES[:1], {}, "at least one more"),
        (IMAGES, {"layer": "layer2"}, "there are trunk, branch1"),
        (IMAGES, {"concepts": 0}, "0 concepts"),
    ],
)
def test_what_does_not_fit_is_refused(network, images, settings, words):
    with pytest.raises(InputError, match=words):
        common_parts(network, images, **settings)


@pytest.mark.parametrize("width", ["single", "double"])
def test_words_under_a_query_and_its_first_ten_stay_apart(network, width, words_apart):
    images = torch.rand(11, 3, 32, 16, generator=torch.Generator().manual_seed(2))
    parts = common_parts(network, images, concepts=2)
    words_apart(draw_common_parts(parts, images, width=width), least=22)
