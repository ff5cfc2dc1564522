"""SIE: what a camera adds, what stands in for an unknown one, and networks that have none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from mfa import presets
from mfa.config import Config
from mfa.models import build_model
from mfa.models.complexity import complexity
from mfa.models.peers.transreid import SIE_WEIGHT, SideInformation, TransReID
from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, save_checkpoint
from mfa.runs.export import release
from mfa.runs.run import open_run

CAMERAS = (1, 4, 7)


def tiny() -> Config:
    config = presets.get("transreid-demo")
    return replace(config, model=replace(config.model, width=8))


def network_of(cameras: tuple[int, ...] = CAMERAS, identities: int = 3) -> TransReID:
    torch.manual_seed(0)
    network = build_model(tiny().model, identities, cameras=cameras)
    assert isinstance(network, TransReID)
    return network.eval()


def pictures(count: int = 2) -> Tensor:
    return torch.rand(count, 3, 96, 48, generator=torch.Generator().manual_seed(1))


def test_every_token_gets_the_weighted_vector_of_its_camera() -> None:
    side = SideInformation(CAMERAS, 2)
    with torch.no_grad():
        side.embedding.copy_(torch.tensor([[1.0, 2], [3, 4], [5, 9]]))
    x = torch.rand(4, 4, 3, 2)  # two channels of patches, two of the class token
    found = side(x, torch.tensor([4, 1, 7, 2])) - x
    # 2 is none of the cameras: the mean of the columns is 3 and 5.
    for picture, (first, second) in enumerate([(3, 4), (1, 2), (5, 9), (3, 5)]):
        wanted = SIE_WEIGHT * torch.tensor([first, second, first, second], dtype=torch.float32)
        torch.testing.assert_close(found[picture], wanted[:, None, None].expand(4, 3, 2))
    torch.testing.assert_close(side(x, None)[0] - x[0], found[3])


def test_a_descriptor_is_of_picture_and_camera() -> None:
    network, images = network_of(), pictures()
    with torch.no_grad():
        one, other, unknown = (network(images, torch.tensor([c, c])).descriptor for c in (1, 4, 9))
        mean = network(images).descriptor
        mixed = network(images, torch.tensor([1, 4])).descriptor
    assert (one - other).abs().max() > 1e-3
    assert (one - mean).abs().max() > 1e-3
    torch.testing.assert_close(unknown, mean)
    torch.testing.assert_close(mixed, torch.stack([one[0], other[1]]))


def test_a_camera_counts_alike_where_maps_start() -> None:
    network, images, cameras = network_of(), pictures(), torch.tensor([7, 1])
    with torch.no_grad():
        trunk = network.trunk_map(images, cameras)
        assert torch.equal(trunk, network(images, cameras).trunk)
        for layer in network.layers:
            again = network.forward_from(layer, network.map_at(layer, images, cameras))
            torch.testing.assert_close(again, trunk, atol=1e-5, rtol=1e-5)


def test_embeddings_of_the_cameras_seen_get_a_gradient() -> None:
    network = network_of().train()
    assert network.sie is not None
    network(pictures(), torch.tensor([1, 7])).descriptor[:, :5].sum().backward()
    moved = network.sie.embedding.grad.abs().sum(dim=1)  # type: ignore[union-attr]
    assert (moved > 0).tolist() == [True, False, True]


def test_the_rest_of_the_network_does_not_change_by_a_bit() -> None:
    with_sie, plain = network_of(), network_of(())
    assert plain.sie is None
    own = plain.state_dict()
    state = with_sie.state_dict()
    assert set(state) - set(own) == {"sie.embedding"}
    assert all(torch.equal(state[name], value) for name, value in own.items())
    # Without cameras the argument means nothing, in this network and in every other.
    images = pictures()
    baseline = build_model(presets.get("bagtricks-demo").model).eval()
    with torch.no_grad():
        for network in (plain, baseline):
            found = network(images, torch.tensor([1, 2])).descriptor
            assert torch.equal(found, network(images).descriptor)


def test_saved_released_and_loaded_equal(tmp_path: Path) -> None:
    network, cameras = network_of(), torch.tensor([7, 3])
    state = {f"model.{key}": value for key, value in network.state_dict().items()}
    facts = {"cameras": CAMERAS, "dataset": "synthetic"}
    save_checkpoint(Checkpoint(tiny(), 1, 3, state, facts), tmp_path / CHECKPOINT)
    run = open_run(tmp_path)
    assert run.checkpoint.cameras == CAMERAS
    with torch.no_grad():
        wanted = network(pictures(), cameras).descriptor
        assert torch.equal(run.model(pictures(), cameras).descriptor, wanted)
        release(run, tmp_path / "small.safetensors")
        small = open_run(tmp_path / "small.safetensors").model
        found = small(pictures(), cameras).descriptor
    torch.testing.assert_close(found, wanted, atol=2e-3, rtol=0)


def test_six_cameras_are_nothing_beside_a_vit() -> None:
    config = presets.get("transreid").model
    assert config.sie
    with torch.device("meta"):
        with_sie = build_model(config, cameras=range(1, 7), pretrained=False)
    assert isinstance(with_sie, TransReID)
    assert with_sie.sie is not None
    assert with_sie.sie.embedding.numel() == 6 * 768
    size = sum(parameter.numel() for parameter in with_sie.parameters())
    assert size - complexity(presets.get("transreid")).parameters == 6 * 768
    assert abs(size / 1e6 - 92.84) < 0.01  # what docs/peers.md says, without them
