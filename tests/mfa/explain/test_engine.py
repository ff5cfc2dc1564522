"""The engine against hand-computed numbers and against pytorch-grad-cam itself."""

import copy

import numpy as np
import pytest
import torch

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.explain import Identity, Similarity, branch_maps, normalised
from mfa.explain.capture import directions
from mfa.explain.geometry import MapGrid
from mfa.explain.library import end_to_end
from mfa.explain.weightings import ARRAY_METHODS, weigh
from mfa.models import ReidNetwork, build_model
from mfa.models.heads import Head
from mfa.models.pooling import GAP, GeM
from mfa.models.trunk import Trunk


class TwoChannels(Trunk):
    """Trunk whose map is the picture's first two channels."""

    def __init__(self):
        super().__init__({}, 2)

    def forward(self, images):
        return images[:, :2]


@pytest.fixture
def toy():
    """Two branches, one by mean and one by GeM with p = 2, necks that change nothing."""
    network = ReidNetwork(TwoChannels(), {"mean": Head(2, GAP(), 0), "gem": Head(2, GeM(2.0), 0)})
    network.mean.zero_()
    network.std.fill_(1)
    for _, head in network.named_heads():
        head.neck.running_var.fill_(1 - head.neck.eps)
    return network.eval()


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    network = build_model(ModelConfig(trunk="resnet10", width=8, stride=8, gate="guided"), 5)
    for head in network.heads.values():
        head.neck.running_mean.normal_(0.5, 0.2)
        head.neck.running_var.uniform_(0.2, 2)
        head.neck.bias.data.normal_()
        head.gate.logit.weight.data.normal_(0, 0.3)
        head.bottleneck[-1].weight.data.normal_()
    return network.eval()


IMAGES = torch.rand(3, 3, 64, 32, generator=torch.Generator().manual_seed(1))
PICTURE = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.5], [0.5, 0.0]], [[0.0] * 2] * 2])[None]
TOWARD = torch.tensor([3.0, 4.0, 0.0, 5.0])  # unit: (3, 4, 0, 5) / sqrt(50)
LENGTH = 50**0.5


def test_hand_computed_maps_of_mean_pooling(toy):
    maps = branch_maps(toy, PICTURE, toward=TOWARD, method="GradCAM")
    # gradient of channel c is u_c / 4 everywhere: 3/4 of channel 0 and 4/4 of channel 1
    expected = np.array([[0.75, 0.5], [0.5, 0.75]]) / LENGTH
    np.testing.assert_allclose(maps.raw["mean"][0], expected, atol=1e-6)
    np.testing.assert_allclose(maps.scores["mean"], (3 * 0.5 + 4 * 0.25) / LENGTH, atol=1e-6)


def test_hand_computed_maps_of_gem(toy):
    # channel 1 is (0, 1/2, 1/2, 0): v = sqrt(1/8), dv/dx = x / (4 v) = sqrt(1/8) where x = 1/2
    slope = 0.125**0.5
    hires = branch_maps(toy, PICTURE, toward=TOWARD, method="HiResCAM").raw["gem"][0]
    place = np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(hires, 5 / LENGTH * slope * 0.5 * place, atol=1e-6)
    gradcam = branch_maps(toy, PICTURE, toward=TOWARD, method="GradCAM").raw["gem"][0]
    np.testing.assert_allclose(gradcam, 5 / LENGTH * slope / 2 * 0.5 * place, atol=1e-6)


def test_fused_is_the_signed_sum_and_the_papers_mean_is_the_other_choice(toy):
    toward = torch.tensor([3.0, -4.0, 0.0, 5.0])
    maps = branch_maps(toy, PICTURE, toward=toward, method="GradCAM")
    np.testing.assert_allclose(maps["fused"], maps["mean"] + maps["gem"], atol=1e-6)
    assert maps["fused"].min() < 0
    mean = branch_maps(toy, PICTURE, toward=toward, method="GradCAM", fused="mean")
    expected = (normalised(maps.raw["mean"]) + normalised(maps.raw["gem"])) / 2
    np.testing.assert_allclose(mean.raw["fused"], expected, atol=1e-6)


@pytest.mark.parametrize("layer", ["branch", "trunk", "layer2"])
@pytest.mark.parametrize("method", [m for m in ARRAY_METHODS if m not in ("RandomCAM",)])
def test_equals_the_library_on_a_one_branch_wrapper(small, method, layer):
    images = IMAGES[:2]
    toward, _ = directions(small, images, Similarity(), list(small.heads))
    maps = branch_maps(small, images, method=method, layer=layer)
    for name in ("branch1", "branch3"):
        theirs = end_to_end(
            copy.deepcopy(small), images, toward[name], name=name, method=method, layer=layer
        )
        ours = MapGrid.even(*maps.raw[name].shape[1:]).enlarge(normalised(maps.raw[name]), (64, 32))
        ours = ours - ours.min(axis=(1, 2), keepdims=True)  # the library scales a second time
        ours = ours / ours.max(axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(ours, theirs, atol=2e-4)
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999999


@pytest.mark.parametrize("method", ["ScoreCAM", "AblationCAM"])
def test_methods_that_run_the_network_again_equal_the_library(small, method):
    images = IMAGES[:1]
    toward, _ = directions(small, images, Similarity(), list(small.heads))
    maps = branch_maps(small, images, method=method, branches=["branch2"])
    theirs = end_to_end(
        copy.deepcopy(small), images, toward["branch2"], name="branch2", method=method
    )
    even = MapGrid.even(*maps.raw["branch2"].shape[1:])
    ours = even.enlarge(normalised(maps.raw["branch2"]), (64, 32))
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999999


@pytest.mark.parametrize("layer", ["branch", "trunk", "layer3"])
def test_scores_are_the_dot_product_with_the_reference(small, layer):
    with torch.no_grad():
        output = small(IMAGES)
        whole = torch.cat([b.embedding for b in output.branches.values()], dim=1)
    maps = branch_maps(small, IMAGES, toward=IMAGES[1:2], layer=layer)
    np.testing.assert_allclose(
        maps.scores["fused"], (whole @ output.descriptor[1]).numpy(), rtol=1e-4
    )


def test_without_reference_a_picture_is_compared_with_itself(small):
    maps = branch_maps(small, IMAGES)
    with torch.no_grad():
        whole = torch.cat([b.embedding for b in small(IMAGES).branches.values()], dim=1)
    np.testing.assert_allclose(maps.scores["fused"], whole.norm(dim=1).numpy(), rtol=1e-5)
    assert maps.target == "similarity to itself"


def test_identity_is_the_sum_of_the_branches_logits(small):
    with torch.no_grad():
        logits = torch.stack([b.logits for b in small(IMAGES).branches.values()])
    maps = branch_maps(small, IMAGES, target="identity", toward=[0, 3, 4])
    np.testing.assert_allclose(maps.scores["fused"], logits.sum(0)[[0, 1, 2], [0, 3, 4]], rtol=1e-4)
    predicted = branch_maps(small, IMAGES, target=Identity())
    np.testing.assert_allclose(
        predicted.scores["fused"], logits.sum(0).max(dim=1).values, rtol=1e-4
    )


def test_contrast_is_the_difference_of_two_similarities(small):
    first, second = IMAGES[:1], IMAGES[1:2]
    contrast = branch_maps(small, IMAGES, target="contrast", toward=(first, second))
    apart = [branch_maps(small, IMAGES, toward=side) for side in (first, second)]
    np.testing.assert_allclose(
        contrast.raw["branch2"], apart[0].raw["branch2"] - apart[1].raw["branch2"], atol=1e-5
    )


def test_several_references_are_averaged(small):
    rows = torch.nn.functional.normalize(torch.randn(2, 256), dim=1)
    both = branch_maps(small, IMAGES, target=Similarity(rows[None]))
    one, two = (branch_maps(small, IMAGES, toward=row) for row in rows)
    np.testing.assert_allclose(
        both.raw["fused"], (one.raw["fused"] + two.raw["fused"]) / 2, atol=1e-5
    )


def test_a_branch_subset_leaves_the_others_out_of_the_sum(small):
    all_, some = (branch_maps(small, IMAGES, branches=b) for b in (None, ["branch4", "branch1"]))
    assert list(some) == ["branch4", "branch1", "fused"]
    np.testing.assert_allclose(some["branch1"], all_["branch1"], atol=1e-6)
    np.testing.assert_allclose(some["fused"], all_["branch1"] + all_["branch4"], atol=1e-5)
    assert set(some.stripes) == {"branch1", "branch4"}


def test_maps_come_at_the_size_of_the_pictures_given(small):
    class Run:
        model = small
        config = type("C", (), {"data": type("D", (), {"height": 64, "width": 32})})

    maps = branch_maps(Run(), torch.rand(2, 3, 100, 40))
    assert maps["branch1"].shape == (2, 100, 40)
    assert maps.raw["branch1"].shape == (2, 8, 4)
    assert branch_maps(small, np.zeros((40, 20, 3), np.uint8))["fused"].shape == (1, 40, 20)


def test_a_target_of_ones_own_may_ignore_a_branch(small):
    class FirstOnly:
        description = "length of the first branch"

        def parts(self, branches):
            zero = torch.zeros(len(IMAGES))
            return {
                name: b.embedding.square().sum(1) if name == "branch1" else zero
                for name, b in branches.items()
            }

    maps = branch_maps(small, IMAGES, target=FirstOnly())
    assert not maps.empty["branch1"].any()
    assert maps.empty["branch2"].all()
    assert not maps["branch2"].any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "GradCam"}, "no method 'GradCam'; there are GradCAM"),
        ({"method": "FullGrad"}, "adds up all bias layers"),
        ({"layer": "layer9"}, "no layer 'layer9'; there are branch, trunk, layer1"),
        ({"branches": ["branch9"]}, "no branch .*branch9.*; there are branch1"),
        ({"branches": []}, "no branch"),
        ({"target": "person"}, "no target 'person'"),
        ({"target": "contrast"}, "contrast needs toward"),
        ({"fused": "product"}, "fused is sum or mean"),
        ({"toward": torch.ones(7)}, "7 columns, the descriptor 256"),
        ({"toward": torch.rand(2, 3, 64, 32)}, "2 descriptors for 3 pictures"),
        ({"target": "identity", "toward": [1, 2]}, "2 labels for 3 pictures"),
        ({"target": "identity", "toward": 9}, "label 9 is outside"),
        ({"target": Similarity(), "toward": torch.ones(256)}, "leave toward out"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(small, arguments, words):
    with pytest.raises(InputError, match=words):
        branch_maps(small, IMAGES, **arguments)


def test_identity_needs_classifiers():
    network = build_model(ModelConfig(trunk="resnet10", width=8, branches=2))
    with pytest.raises(InputError, match="built without classes"):
        branch_maps(network, IMAGES, target="identity")


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.rand(2, 3, 64, 32) * 255, r"lie in \[0, 1\]"),
        (torch.full((1, 3, 64, 32), float("nan")), r"lie in \[0, 1\]"),
        (torch.rand(64, 32), "B, 3, H, W"),
        ([], "no pictures"),
        ([np.zeros((8, 4, 3), np.uint8), np.zeros((9, 4, 3), np.uint8)], "several sizes"),
    ],
)
def test_pictures_that_cannot_be_are_refused(small, images, words):
    with pytest.raises(InputError, match=words):
        branch_maps(small, images)


@pytest.mark.parametrize("method", ["HiResCAM", "GradCAM", "LayerCAM", "EigenCAM"])
def test_a_caption_claims_what_is_true_of_the_method(method):
    network = build_model(ModelConfig(trunk="resnet10", width=8, stride=8, pooling="gem"), 0).eval()
    for head in network.heads.values():
        head.neck.running_mean.normal_(0.5, 0.2)
    maps = branch_maps(network, IMAGES, method=method)
    reading = maps.reading
    assert ("argues for the target" in reading) == (method in ("HiResCAM", "GradCAM"))
    assert maps.additive == (method == "HiResCAM")
    if method == "LayerCAM":
        assert maps["fused"].min() >= 0
    if maps.additive:  # what the pixels bring, and a bias that is the same for every picture
        rest = maps.scores["branch1"] - maps.sums["branch1"]
        others = branch_maps(network, IMAGES.flip(3), method=method, toward=IMAGES)
        assert (others.scores["branch1"] - others.sums["branch1"]) == pytest.approx(rest, abs=1e-4)


def test_random_maps_do_not_hang_on_the_global_state() -> None:
    maps, gradients = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    np.random.seed(1)  # noqa: NPY002
    first = weigh("RandomCAM", maps, gradients)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(weigh("RandomCAM", maps, gradients), first)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert not np.allclose(first[0], first[1])
