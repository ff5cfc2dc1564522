"""The twenty ways in which maps of a ReID model go wrong unnoticed, one test each."""

import copy
import gc
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.explain import Similarity, branch_maps, engine
from mfa.explain.geometry import map_grids
from mfa.models import build_model
from viz.grids.maps import draw_maps
from viz.images import overlay

IMAGES = torch.rand(3, 3, 64, 32, generator=torch.Generator().manual_seed(1))
ENGINE = sorted((Path(engine.__file__).parent).glob("*.py"))


def build(**settings):
    torch.manual_seed(0)
    network = build_model(ModelConfig(trunk="resnet10", width=8, stride=8, **settings), 5)
    for head in network.heads.values():
        head.neck.running_mean.normal_(0.5, 0.2)
        head.neck.running_var.uniform_(0.2, 2)
        head.neck.bias.data.normal_()
    return network.eval()


@pytest.fixture
def network():
    return build(gate="anchored")


def state(network):
    """All that a visit could change; lists that compare by ``==``."""
    hooks = ("_forward_hooks", "_backward_hooks", "_forward_pre_hooks")
    return (
        [module.training for module in network.modules()],
        [len(getattr(module, kind)) for module in network.modules() for kind in hooks],
        [(p.requires_grad, p.grad is None) for p in network.parameters()],
        [value.tolist() for value in (*network.parameters(), *network.buffers())],
    )


def test_pitfall_01_a_model_that_returns_a_list_is_refused():
    class Lists(nn.Module):
        def forward(self, images):
            return [images.mean((2, 3))] * 4

    with pytest.raises(InputError, match="named heads"):
        branch_maps(Lists(), IMAGES)


def test_pitfall_02_every_branch_has_its_own_gradient(network):
    maps = branch_maps(network, IMAGES)
    for name in maps.branches:
        alone = branch_maps(network, IMAGES, branches=[name])
        np.testing.assert_allclose(maps[name], alone[name], atol=1e-6)


def test_pitfall_03_branches_go_by_name_not_by_position(network):
    there = branch_maps(network, IMAGES, branches=["branch1", "branch4"])
    back = branch_maps(network, IMAGES, branches=["branch4", "branch1"])
    np.testing.assert_allclose(there["branch1"], back["branch1"], atol=1e-6)
    assert not np.allclose(there["branch1"], there["branch4"])


def test_pitfall_04_one_call_gives_separate_maps_not_their_average(network):
    assert list(branch_maps(network, IMAGES)) == [f"branch{i}" for i in (1, 2, 3, 4)] + ["fused"]


def test_pitfall_05_no_target_is_an_arg_max_over_the_embedding(network):
    maps = branch_maps(network, IMAGES)
    assert maps.target == "similarity to itself"
    with pytest.raises(InputError, match="there are similarity, identity, contrast"):
        branch_maps(network, IMAGES, target="argmax")


def test_pitfall_06_similarity_targets_take_one_reference_or_one_for_each(network):
    each = branch_maps(network, IMAGES, toward=IMAGES.flip(0))
    for i in range(3):
        one = branch_maps(network, IMAGES[i], toward=IMAGES[2 - i])
        np.testing.assert_allclose(each["fused"][i], one["fused"][0], atol=1e-5)


def test_pitfall_07_difference_is_the_sign_flip_of_one_signed_map(network):
    reference = torch.randn(256)
    toward = branch_maps(network, IMAGES, toward=reference)
    away = branch_maps(network, IMAGES, toward=-reference)
    np.testing.assert_allclose(toward["fused"], -away["fused"], atol=1e-5)
    assert toward["fused"].min() < 0 < toward["fused"].max()


def test_pitfall_08_maps_add_up_to_the_score_instead_of_zero():
    network = build(pooling="gap")
    maps = branch_maps(network, IMAGES, toward=IMAGES[:1])
    with torch.no_grad():
        unit = network(IMAGES[:1]).descriptor[0].split(64)
        bias = {name: head.neck(torch.zeros(1, 64)) for name, head in network.heads.items()}
    for name, direction in zip(maps.branches, unit, strict=True):
        pixels = maps.raw[name].sum(axis=(1, 2))
        total = pixels + (bias[name][0] @ direction).item()
        np.testing.assert_allclose(total, maps.scores[name], atol=1e-4)
        assert abs(pixels).max() > 1e-2

    class Cosine:  # the usual target, normalised
        description = "cosine"

        def parts(self, branches):
            whole = torch.cat([b.embedding - bias[n] for n, b in branches.items()], dim=1)
            unit_ = torch.nn.functional.normalize(whole, dim=1)
            score = unit_ @ torch.nn.functional.normalize(torch.ones(256), dim=0)
            return {n: score if n == "branch1" else 0 * score for n in branches}

    through_norm = branch_maps(network, IMAGES, target=Cosine())
    assert abs(through_norm.raw["fused"].sum(axis=(1, 2))).max() < 1e-6
    assert through_norm.raw["fused"].max() > 1e-4


def test_pitfall_08_an_empty_map_is_flagged_and_marked(network):
    away = branch_maps(network, IMAGES, toward=-torch.ones(256))
    network.heads["branch1"].neck.weight.data.abs_()
    toward = branch_maps(network, IMAGES, toward=torch.ones(256))
    assert away.empty["branch1"].all()
    assert not toward.empty["branch1"].any()
    words = [text.get_text() for axis in draw_maps(away, IMAGES).axes for text in axis.texts]
    assert words.count("empty") == sum(int(flags.sum()) for flags in away.empty.values())


def test_pitfall_09_mode_and_running_statistics_stay_also_after_an_exception(network):
    network.train()
    network.heads["branch2"].eval()  # a mixed state must come back as it was
    before = state(network)
    branch_maps(network, IMAGES)
    branch_maps(network, IMAGES, method="AblationCAM", branches=["branch1"], layer="branch")
    assert state(network) == before

    class Fails(Similarity):
        def parts(self, branches):
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        branch_maps(network, IMAGES, target=Fails())
    assert state(network) == before


def test_pitfall_10_accumulated_gradients_stay_and_no_new_ones_appear(network):
    network(IMAGES).descriptor.sum().backward()
    kept = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
    assert kept
    for layer in ("branch", "trunk", "layer2"):
        branch_maps(network, IMAGES, layer=layer)
    for name, parameter in network.named_parameters():
        assert (parameter.grad is None) == (name not in kept)
        if name in kept:
            assert torch.equal(parameter.grad, kept[name])


def test_pitfall_11_all_branches_and_pictures_take_one_forward(network):
    calls = []
    original = network.trunk.forward
    network.trunk.forward = lambda x: calls.append(len(x)) or original(x)
    map_grids(network, (IMAGES.shape[2], IMAGES.shape[3]))  # once per network and size
    calls.clear()
    branch_maps(network, IMAGES)
    assert calls == [3]


def test_pitfall_12_nothing_stays_on_the_model_and_no_hook_is_ever_set(network):
    before = state(network)
    for method in ("GradCAM", "EigenCAM", "ShapleyCAM", "ScoreCAM"):
        branch_maps(network, IMAGES[:1], method=method, branches=["branch1"])
    gc.collect()  # the library's destructors must have nothing left to say
    assert state(network) == before
    words = " ".join(path.read_text() for path in ENGINE)
    assert not re.search(r"register_\w*hook", words)


def test_pitfall_13_errors_come_through(network):
    class Fails(Similarity):
        def parts(self, branches):
            raise IndexError("not swallowed")

    with pytest.raises(IndexError, match="not swallowed"):
        branch_maps(network, IMAGES, target=Fails())


def test_pitfall_14_a_head_that_writes_in_place_does_not_spoil_the_map(network):
    class Sparse(nn.Module):
        def __init__(self, pool, inplace):
            super().__init__()
            self.pool, self.relu = pool, nn.ReLU(inplace)

        def forward(self, x):
            return self.pool(self.relu(x.sub_(0.5) if self.relu.inplace else x - 0.5))

    networks = copy.deepcopy(network), copy.deepcopy(network)
    for inplace, changed in zip((False, True), networks, strict=True):
        changed.heads["branch2"].pool = Sparse(network.heads["branch2"].pool, inplace)
    for layer in ("branch", "trunk"):
        tidy, spoils = (branch_maps(changed, IMAGES, layer=layer) for changed in networks)
        np.testing.assert_allclose(spoils["branch2"], tidy["branch2"], atol=1e-6)
        assert tidy["branch2"].any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_pitfall_15_any_precision_gives_float32_maps(network, dtype):
    exact = branch_maps(network, IMAGES)
    coarse = branch_maps(copy.deepcopy(network).to(dtype), IMAGES)
    for name in exact:
        assert coarse[name].dtype == np.float32
        assert np.corrcoef(coarse[name].ravel(), exact[name].ravel())[0, 1] > 0.99


def test_pitfall_15_autocast_around_the_call_gives_float32_maps(network):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        maps = branch_maps(network, IMAGES)
    exact = branch_maps(network, IMAGES)
    assert maps["fused"].dtype == np.float32
    assert np.corrcoef(maps["fused"].ravel(), exact["fused"].ravel())[0, 1] > 0.99


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("layer", ["branch", "layer2"])
def test_pitfall_16_no_grad_callers_and_frozen_parameters_work(network, mode, layer):
    free = branch_maps(network, IMAGES, layer=layer)
    network.requires_grad_(False)
    with mode():
        images = IMAGES.clone()
        maps = branch_maps(network, images, layer=layer, toward=images[:1] * 1)
        assert not torch.is_grad_enabled()
        assert torch.is_inference_mode_enabled() == (mode is torch.inference_mode)
        maps = branch_maps(network, images, layer=layer)
    np.testing.assert_allclose(maps["fused"], free["fused"], atol=1e-6)
    assert not any(p.requires_grad for p in network.parameters())


def test_pitfall_17_lengths_are_checked(network):
    with pytest.raises(InputError, match="2 descriptors for 3 pictures"):
        branch_maps(network, IMAGES, toward=torch.randn(2, 256))
    assert len(branch_maps(network, IMAGES, toward=torch.randn(1, 256))["fused"]) == 3


def test_pitfall_18_stripes_are_outlined_and_controls_stand_beside(network):
    maps = branch_maps(network, IMAGES[:1])
    borders = [box[0] for box in maps.stripes.values()]
    step = maps.grids["branch1"].rows.step  # two rows of the map each, less half a row
    assert borders == pytest.approx([0, *((2 * i - 0.5) * step + 0.5 / 64 for i in (1, 2, 3))])
    other = branch_maps(build(gate="anchored"), IMAGES[:1])
    figure = draw_maps(maps, IMAGES[:1], sanity_checks={"random weights": other})
    panels = [axis for axis in figure.axes if axis.images]
    assert len(panels) == 1 + 5 + 5  # the picture, its maps, the control's maps
    assert sum(len(axis.patches) for axis in panels) == 8


def test_pitfall_19_under_gem_the_elementwise_product_adds_up_and_grad_cam_does_not():
    network = build(pooling="gem")
    for head in network.heads.values():
        head.neck.running_mean.zero_()
        head.neck.bias.data.zero_()
    exact = branch_maps(network, IMAGES, method="HiResCAM")
    averaged = branch_maps(network, IMAGES, method="GradCAM")
    for name in exact.branches:
        np.testing.assert_allclose(exact.raw[name].sum((1, 2)), exact.scores[name], rtol=1e-4)
        assert (abs(averaged.raw[name].sum((1, 2)) / averaged.scores[name] - 1) > 0.05).all()


def test_pitfall_20_the_callers_pictures_are_never_written_to(network):
    floats, bytes_ = IMAGES.clone(), np.random.default_rng(0).integers(0, 255, (2, 64, 32, 3))
    bytes_ = bytes_.astype(np.uint8)
    kept = bytes_.copy()
    first = branch_maps(network, floats)
    second = branch_maps(network, floats)
    draw_maps(first, floats)
    overlay.overlay(bytes_[0], first["fused"][0])
    branch_maps(network, bytes_)
    assert torch.equal(floats, IMAGES)
    assert np.array_equal(bytes_, kept)
    np.testing.assert_array_equal(first["fused"], second["fused"])
