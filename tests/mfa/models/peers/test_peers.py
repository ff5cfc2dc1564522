"""Every compared method, by the same questions; and its size against the published one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mfa import presets
from mfa.config import Config, ModelConfig
from mfa.errors import InputError
from mfa.export.graph import ExportedNetwork
from mfa.losses import Criterion
from mfa.models import ReidNetwork, build_model
from mfa.models.complexity import count_parameters
from mfa.models.peers import faithful, find, names
from mfa.models.peers.gasm_like import Saliency
from mfa.models.peers.parts.peer import PeerNetwork, resnet

IDENTITIES = 3


def tiny(name: str) -> Config:
    """The method on a trunk of eight channels."""
    config = presets.get(f"{name}-demo")
    return replace(config, model=replace(config.model, width=8))


def network_of(name: str, identities: int = IDENTITIES) -> PeerNetwork:
    torch.manual_seed(0)
    network = build_model(tiny(name).model, identities)
    assert isinstance(network, PeerNetwork)
    return network


def pictures(count: int = 6, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, 96, 48, generator=torch.Generator().manual_seed(seed))


def labels() -> Tensor:
    return torch.tensor([0, 0, 1, 1, 2, 2])


def loss_of(config: Config, network: PeerNetwork) -> Tensor:
    criterion = Criterion(config.loss, IDENTITIES, network.widths)
    output = network(pictures())
    total, _ = criterion(output, labels())
    return total + sum(network.extra_losses(output, labels()).values())


def full_size(name: str, identities: int = 0, **changes: object) -> int:
    model: ModelConfig = replace(presets.get(name).model, **changes)  # type: ignore[arg-type]
    with torch.device("meta"):
        return count_parameters(build_model(model, identities, pretrained=False))


def test_sizes_within_a_percent_of_the_published() -> None:
    for name, identities in (("bagtricks", 0), ("agw", 0), ("osnet", 0), ("abd_net", 751)):
        published = find(name).parameters_m
        assert published is not None
        # A published 2.2 is anything from 2.15 to 2.25.
        rounding = 0.05 if published < 10 else 0.0
        millions = full_size(name, identities) / 1e6
        assert millions == pytest.approx(published, abs=0.01 * published + rounding)


def test_sizes_exactly() -> None:
    trunk = 23_508_032
    assert full_size("bagtricks") == trunk + 4096
    non_local = 2 * (7 * 512 + 3) + 3 * (7 * 1024 + 3)
    assert full_size("agw") == trunk + 4096 + non_local + 1
    assert full_size("pcb") == trunk
    assert full_size("pcb", 751) == trunk + 6 * (2048 * 256 + 512 + 256 * 751 + 751)
    assert full_size("osnet", width=16) == pytest.approx(0.2e6, rel=0.01)
    layer3a, layer4 = 1_512_448, 14_964_736
    layer3 = 7_098_368
    shared = trunk - layer4 - (layer3 - layer3a)
    branch = layer4 + layer3 - layer3a
    reductions = 8 * (2048 * 256 + 512)
    assert full_size("mgn") == shared + 3 * branch + reductions
    assert full_size("ra_loss_like") == full_size("bagtricks")
    # The authors' file holds a last block that is never run.
    unused = 12 * 768**2 + 13 * 768
    assert full_size("transreid") + unused == pytest.approx(100e6, rel=0.01)
    # Shared up to layer 3, layer 4 twice; both vectors' layers, and the attention of one branch.
    heads = 3 * (1024 * 512 * 9 + 512 * 512 * 9 + 2 * 2 * 512 + 512 * 1024 + 1024)
    position, gammas = 2 * (512 * 64 + 64) + 512 * 512 + 512, 3
    attentive = 2048 * 1024 + 2 * 1024 + heads + position + gammas + 1024 * 1024 + 1024
    whole = 2048 * 1024 + 1024 + 2 * 1024
    assert full_size("abd_net") == trunk + layer4 + whole + attentive
    assert full_size("abd_net", 751) == full_size("abd_net") + 3 * (1024 * 751 + 751)
    assert full_size("gasm_like") == trunk + 2 * 4096 + 2049
    layers = 2 * (2048 * 256 + 256 + 512) + 512 * 256 + 256 + 512
    assert full_size("gcp") == trunk + 15 * layers
    assert full_size("mgn", 751) == full_size("mgn") + 751 * (3 * 2048 + 5 * 256 + 8)


@pytest.mark.parametrize("name", names())
def test_every_file_says_what_it_is(name: str) -> None:
    peer = find(name)
    assert peer.paper
    assert peer.parameters_m is None or (peer.source and peer.counted)
    assert presets.get(name).model.network == name
    assert bool(peer.unlike) == name.endswith("_like") == (name not in faithful())
    assert presets.get(f"{name}-cpu").optim == presets.cpu().optim


@pytest.mark.parametrize("name", names())
def test_the_same_records_as_mfa(name: str) -> None:
    network = network_of(name).eval()
    assert isinstance(network, ReidNetwork)
    images = pictures(2)
    with torch.no_grad():
        output = network(images)
        trunk = network.trunk_map(images)
        assert torch.equal(trunk, output.trunk)
        for (branch, head), found in zip(
            network.named_heads(), output.branches.values(), strict=True
        ):
            alone = head(trunk)
            torch.testing.assert_close(alone.embedding, found.embedding, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(
                head.read(head.refine(trunk)).embedding, found.embedding, atol=1e-5, rtol=1e-5
            )
            assert found.embedding.shape == found.pooled.shape == (2, network.widths[branch])
            assert found.map.ndim == 4
            assert found.logits is not None
            assert found.logits.shape == (2, IDENTITIES)
        for layer in network.layers:
            again = network.forward_from(layer, network.map_at(layer, images))
            torch.testing.assert_close(again, trunk, atol=1e-5, rtol=1e-5)
    assert output.descriptor.shape == (2, sum(network.widths.values()))
    torch.testing.assert_close(output.descriptor.norm(dim=1), torch.ones(2))
    assert set(network.stripes) <= set(network.widths)


@pytest.mark.parametrize("name", names())
def test_every_parameter_gets_a_gradient(name: str) -> None:
    network = network_of(name).train()
    start = [parameter.detach().clone() for parameter in network.parameters()]
    # Off the start, where scales of 0 keep gradients from what lies behind them; several times,
    # since a ReLU of a layer this small may be shut for all six pictures.
    for _ in range(4):
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), start, strict=True):
                noise = torch.randn_like(value)
                parameter.copy_(value + noise * (0.05 + 0.5 * value.abs().mean()))
        loss_of(tiny(name), network).backward()
    for label, parameter in network.named_parameters():
        assert parameter.grad is not None, label
        assert parameter.grad.abs().sum() > 0, label


@pytest.mark.parametrize("name", names())
def test_training_steps_lower_the_loss(name: str) -> None:
    network, config = network_of(name).train(), tiny(name)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(6):
        torch.manual_seed(1)
        loss = loss_of(config, network)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]


@pytest.mark.parametrize("name", names())
def test_exported_for_batches_of_any_size(name: str) -> None:
    network = network_of(name, 0).eval()
    image = (pictures(3) * 255).byte()
    with torch.no_grad():
        program = torch.export.export(
            ExportedNetwork(network), (image[:2],), dynamic_shapes=({0: torch.export.Dim("batch")},)
        )
        wanted = network(image.float() / 255).branches.values()
        found = program.module()(image)[1:]
    for value, branch in zip(found, wanted, strict=True):
        torch.testing.assert_close(value, branch.embedding, atol=1e-5, rtol=1e-4)


def test_names_that_are_no_network() -> None:
    with pytest.raises(InputError, match="no network 'agv'; there are mfa, "):
        build_model(ModelConfig(network="agv"))
    with pytest.raises(InputError, match=r"called isp_like: .*clusters"):
        build_model(replace(presets.get("isp_like-demo").model, network="isp"))
    for name in ("agv", "agw-nothing", "mfa-demo"):
        with pytest.raises(InputError, match=f"no preset '{name}'"):
            presets.get(name)
    with pytest.raises(InputError, match="agw has no variants"):
        presets.variant(presets.get("agw"), "paper")


def test_a_peer_changes_the_network_and_its_recipe_alone() -> None:
    base, peer = presets.demo(), presets.get("agw-demo")
    assert peer.name == "demo/agw"
    assert peer.loss.triplet == "weighted"
    assert (peer.data, peer.optim) == (base.data, base.optim)
    assert (peer.model.trunk, peer.model.width) == (base.model.trunk, base.model.width)
    assert presets.get("transreid").model.trunk == "vit_b16"
    assert presets.get("transreid-demo").model.trunk == "vit_depth4"
    assert presets.get("pcb").data.height == 384
    assert presets.get("pcb-demo").data.height == 96


def test_weights_of_a_plain_resnet_fit_the_trunks_of_peers(tmp_path: Path) -> None:
    plain = resnet(ModelConfig(trunk="resnet18", width=8, cpaa=()))
    torch.save(plain.state_dict(), tmp_path / "plain.pth")
    for name in ("agw", "mgn", "pcb"):
        config = presets.get(f"{name}-cpu").model
        network = build_model(replace(config, width=8, weights=str(tmp_path / "plain.pth")))
        own = dict(network.named_parameters())
        assert any(torch.equal(p, plain.conv1.weight) for p in own.values())
        last = plain.state_dict()["layer4.1.conv2.weight"]
        assert sum(p.shape == last.shape and torch.equal(p, last) for p in own.values()) == (
            3 if name == "mgn" else 1
        )


def test_losses_of_its_own_may_not_be_forgotten() -> None:
    network = network_of("ra_loss_like").train()
    for _ in range(3):
        network.extra_losses(network(pictures()), labels())
    network(pictures())
    network(pictures())
    with pytest.raises(InputError, match="losses of its own"):
        network(pictures())
    with torch.no_grad():
        network(pictures())


def test_isps_shares_add_up_to_the_person_and_the_background() -> None:
    network = network_of("isp_like").eval()
    with torch.no_grad():
        output = network(pictures(2))
    parts = sum(output.branches[f"part{i}"].map for i in range(1, 6))
    torch.testing.assert_close(parts, output.branches["person"].map, atol=1e-5, rtol=1e-4)
    assert bool((output.branches["person"].map <= output.trunk + 1e-6).all())


def test_gasms_salient_vector_is_a_mean_weighed_by_saliency() -> None:
    network = network_of("gasm_like").eval()
    stem = network.stems["saliency"]
    assert isinstance(stem, Saliency)
    with torch.no_grad():
        output = network(pictures(2))
        x = output.trunk
        saliency = stem.logit(x).sigmoid()[:, 0]
        for picture in range(2):
            wanted = sum(
                saliency[picture, i, j] * x[picture, :, i, j]
                for i in range(x.shape[2])
                for j in range(x.shape[3])
            )
            wanted = wanted / saliency[picture].sum()
            torch.testing.assert_close(output.branches["salient"].pooled[picture], wanted)
