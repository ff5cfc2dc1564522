"""Controls are the same question asked of something that cannot know the answer."""

import numpy as np
import pytest
import torch

from mfa import presets
from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.explain import branch_maps, random_weights, sanity_check_maps
from mfa.models import build_model
from mfa.runs.run import untrained

IMAGES = torch.rand(3, 3, 64, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def network():
    torch.manual_seed(0)
    built = build_model(ModelConfig(trunk="resnet10", width=8, stride=8, gate="guided"))
    for head in built.heads.values():
        head.neck.running_mean.normal_()
    return built.eval()


def test_random_weights_is_a_copy_and_the_same_each_time(network):
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    before = torch.random.get_rng_state()
    first, second = random_weights(network, 3), random_weights(network, 3)
    assert torch.equal(before, torch.random.get_rng_state())
    for name, value in network.state_dict().items():
        assert torch.equal(value, kept[name])
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.trunk.conv1.weight, network.trunk.conv1.weight)
    assert not first.heads["branch1"].neck.running_mean.any()


def test_controls_answer_the_same_question(network):
    found = sanity_check_maps(network, IMAGES, method="HiResCAM", branches=["branch2"])
    assert list(found) == ["random weights", "shuffled target"]
    assert all(list(maps) == ["branch2", "fused"] for maps in found.values())
    assert all(maps.method == "HiResCAM" for maps in found.values())
    other = branch_maps(network, IMAGES, toward=IMAGES.roll(1, 0), method="HiResCAM")
    np.testing.assert_allclose(found["shuffled target"]["branch2"], other["branch2"], atol=1e-5)


def test_one_picture_or_one_reference_for_all_cannot_be_shuffled(network):
    assert list(sanity_check_maps(network, IMAGES[0])) == ["random weights"]
    assert list(sanity_check_maps(network, IMAGES, toward=IMAGES[:1])) == ["random weights"]


def test_a_descriptor_is_refused_since_it_belongs_to_one_network(network):
    with pytest.raises(InputError, match="pictures in toward"):
        sanity_check_maps(network, IMAGES, toward=torch.rand(3, 256))


def test_a_run_is_held_against_its_own_start():
    run = untrained(presets.demo())
    found = sanity_check_maps(run, IMAGES[:1])["random weights"]
    np.testing.assert_allclose(found["fused"], branch_maps(run, IMAGES[:1])["fused"], atol=1e-5)


def test_a_reference_takes_off_the_mean_map(network):
    mean = torch.rand(4, 3, 64, 32)
    for layer in ("branch", "trunk", "layer2"):
        settings = {"method": "HiResCAM", "layer": layer, "toward": IMAGES[:1]}
        plain, centred = (
            branch_maps(network, IMAGES[1:2], reference=b, **settings) for b in (None, mean)
        )
        assert centred.centred
        assert "less the reference" in centred.caption
        alone = branch_maps(network, mean[:1], reference=mean[:1], **settings)
        assert not alone["fused"].any()  # a picture against itself has nothing of its own
        assert not np.allclose(plain["fused"], centred["fused"])


@pytest.mark.parametrize("method", ["ScoreCAM", "ShapleyCAM"])
def test_methods_that_cannot_take_a_reference_say_so(network, method):
    with pytest.raises(InputError, match="takes no reference pictures"):
        branch_maps(network, IMAGES[:1], method=method, reference=IMAGES)
