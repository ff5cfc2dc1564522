"""Every compared method, by the same questions; and its size against the published one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mfa import presets
from mfa.config import Config, ModelConfig
from mfa.errors import InputError
from mfa.losses import Criterion
from mfa.models import ReidNetwork, build_model
from mfa.models.peers import faithful, find, names
from mfa.models.peers.parts.peer import PeerNetwork
from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, save_checkpoint
from mfa.runs.run import open_run

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


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def full_size(name: str, identities: int = 0, **changes: object) -> int:
    model: ModelConfig = replace(presets.get(name).model, **changes)  # type: ignore[arg-type]
    with torch.device("meta"):
        return count(build_model(model, identities, pretrained=False))


@pytest.mark.parametrize(
    ("name", "identities", "millions"),
    [("bagtricks", 0, 23.51), ("agw", 0, 23.5), ("osnet", 0, 2.2), ("abd_net", 751, 69.175)],
)
def test_sizes_within_a_percent_of_the_published(
    name: str, identities: int, millions: float
) -> None:
    published = find(name).parameters_m
    assert published == millions
    # A published 2.2 is anything from 2.15 to 2.25.
    rounding = 0.05 if millions < 10 else 0.0
    assert abs(full_size(name, identities) / 1e6 - millions) <= 0.01 * millions + rounding


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
def test_saved_and_loaded_equal(name: str, tmp_path: Path) -> None:
    network, config = network_of(name), tiny(name)
    network.train()(pictures())
    state = {f"model.{key}": value for key, value in network.state_dict().items()}
    save_checkpoint(Checkpoint(config, 1, IDENTITIES, state, {}), tmp_path / CHECKPOINT)
    run = open_run(tmp_path)
    assert run.config == config
    with torch.no_grad():
        wanted = network.eval()(pictures(2)).descriptor
        assert torch.equal(run.model(pictures(2)).descriptor, wanted)


@pytest.mark.parametrize("name", names())
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_exported_to_onnx_and_equal(name: str, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra export")
    pytest.importorskip("onnx", reason="needs the extra export")
    network = network_of(name, 0).eval()
    network.train()(pictures())
    network.eval()

    class Descriptor(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: Tensor) -> Tensor:
            return self.network(images).descriptor

    images = pictures(2, seed=5)
    torch.onnx.export(
        Descriptor().eval(),
        (images,),
        str(tmp_path / "peer.onnx"),
        dynamo=False,
        input_names=["images"],
        opset_version=17,
    )
    session = onnxruntime.InferenceSession(str(tmp_path / "peer.onnx"))
    with torch.no_grad():
        wanted = network(images).descriptor.numpy()
    found = session.run(None, {"images": images.numpy()})[0]
    np.testing.assert_allclose(found, wanted, atol=1e-4)


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


def test_a_stripes_mean_is_the_mean_of_its_branch_map() -> None:
    from mfa.models.pooling import only_stripe

    x = torch.rand(2, 4, 7, 3)
    # 7 rows in 3 stripes by hand: rows 0-2, 2-4, 4-6; neighbours share one.
    for number, rows in enumerate((slice(0, 3), slice(2, 5), slice(4, 7))):
        cut = only_stripe(x, 3, number, mean=True)
        torch.testing.assert_close(cut.mean(dim=(2, 3)), x[:, :, rows].mean(dim=(2, 3)))
        highest = only_stripe(x, 3, number, mean=False).amax(dim=(2, 3))
        torch.testing.assert_close(highest, x[:, :, rows].amax(dim=(2, 3)))


def test_non_local_equals_a_loop() -> None:
    from mfa.models.peers.parts.attention import NonLocal

    torch.manual_seed(0)
    block = NonLocal(4, 2).eval()
    x = torch.randn(1, 4, 2, 3)
    assert torch.equal(block(x), x)
    torch.nn.init.ones_(block.w[1].weight)
    g, theta, phi = (conv(x)[0].flatten(1) for conv in (block.g, block.theta, block.phi))
    mixed = torch.zeros(2, 6)
    for i in range(6):
        for j in range(6):
            mixed[:, i] += theta[:, i] @ phi[:, j] / 6 * g[:, j]
    torch.testing.assert_close(block(x), x + block.w(mixed.view(1, 2, 2, 3)))


def test_ibn_normalises_half_by_picture() -> None:
    from mfa.models.backbones import IBN
    from mfa.models.peers.parts.peer import resnet

    x = torch.randn(2, 6, 4, 5) * 3 + 1
    found = IBN(6).train()(x)
    flat = found.flatten(2)
    torch.testing.assert_close(flat[:, :3].mean(dim=2), torch.zeros(2, 3), atol=1e-5, rtol=0)
    assert flat[:, 3:].mean(dim=2).abs().max() > 1e-3
    torch.testing.assert_close(flat[:, 3:].mean(dim=(0, 2)), torch.zeros(3), atol=1e-5, rtol=0)
    config = ModelConfig(trunk="resnet10", width=8, ibn=True)
    trunk = resnet(config, pretrained=False)
    assert count(trunk) == count(resnet(replace(config, ibn=False), pretrained=False))
    assert sum(isinstance(module, IBN) for module in trunk.modules()) == 3


def test_weights_of_a_plain_resnet_fit_the_trunks_of_peers(tmp_path: Path) -> None:
    from mfa.models.peers.parts.peer import resnet

    plain = resnet(ModelConfig(trunk="resnet18", width=8), pretrained=False)
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


def test_the_patches_of_jpm_by_hand() -> None:
    from mfa.models.peers.transreid import dealt

    # 8 patches, shifted by 5: 5 6 7 0 1 2 3 4; in two groups: 5 6 7 0 and 1 2 3 4; one of each.
    assert dealt(8) == [[5, 1], [6, 2], [7, 3], [0, 4]]
    assert sorted(i for part in dealt(18) for i in part) == list(range(18))


def test_tokens_and_maps_are_each_others_inverse() -> None:
    from mfa.models.peers.parts.transformer import as_map, as_tokens

    tokens = torch.randn(2, 7, 5)
    torch.testing.assert_close(as_tokens(as_map(tokens, 3, 2)), tokens)
    assert torch.equal(as_map(tokens, 3, 2)[0, :5, 2, 1], tokens[0, 6])


def test_spectral_gap_of_a_known_map() -> None:
    from mfa.models.peers.abd_net import spectral_gap

    x = torch.diag(torch.tensor([5.0, 3.0, 2.0])).view(1, 3, 3, 1)
    assert spectral_gap(x).item() == pytest.approx(9.0)


def test_rows_between_keeps_rows_that_are_cut_through() -> None:
    from mfa.models.pooling import rows_between

    x = torch.ones(1, 1, 4, 1)
    assert rows_between(x, 1 / 6, 3 / 6).flatten().tolist() == [1, 1, 0, 0]
    assert rows_between(torch.ones(1, 1, 24, 1), 4 / 6, 5 / 6).flatten().tolist() == (
        [0] * 16 + [1] * 4 + [0] * 4
    )


def test_clusters_find_the_stripes_of_a_made_person() -> None:
    from mfa.models.peers.parts.pixelclusters import part_labels

    torch.manual_seed(0)
    # Two people, two pictures each: a weak border, and three bands of a direction of their own.
    bands = torch.nn.functional.normalize(torch.randn(2, 3, 8), dim=2)
    maps = torch.zeros(4, 8, 9, 5)
    wanted = torch.zeros(4, 9, 5, dtype=torch.int64)
    for picture in range(4):
        for band in range(3):
            rows = slice(3 * band, 3 * band + 3)
            strength = 4 + torch.rand(3, 3)
            direction = bands[picture // 2, band][:, None, None]
            maps[picture, :, rows, 1:4] = direction * strength
            wanted[picture, rows, 1:4] = band + 1
    maps += 0.05 * torch.rand_like(maps)
    found = part_labels(maps, torch.tensor([7, 7, 9, 9]), 3)
    assert torch.equal(found, wanted)
    even = part_labels(torch.ones(2, 4, 3, 3), torch.tensor([0, 0]), 2)
    assert bool((even > 0).all())


def test_isps_shares_add_up_to_the_person_and_the_background() -> None:
    network = network_of("isp_like").eval()
    with torch.no_grad():
        output = network(pictures(2))
    parts = sum(output.branches[f"part{i}"].map for i in range(1, 6))
    torch.testing.assert_close(parts, output.branches["person"].map, atol=1e-5, rtol=1e-4)
    assert bool((output.branches["person"].map <= output.trunk + 1e-6).all())


def test_gasms_salient_vector_is_a_mean_weighed_by_saliency() -> None:
    from mfa.models.peers.gasm_like import Saliency

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


def test_gasm_matches_pixels_like_a_loop() -> None:
    from mfa.models.peers.gasm_like import matched

    torch.manual_seed(0)
    maps, saliency = torch.randn(3, 4, 2, 3), torch.rand(3, 2, 3)
    found = matched(maps, saliency)
    for a in range(3):
        for b in range(3):
            total = 0.0
            for i in range(6):
                pixel = maps[a].flatten(1)[:, i]
                likest = max(
                    torch.cosine_similarity(pixel, maps[b].flatten(1)[:, j], dim=0).item()
                    for j in range(6)
                )
                total += saliency[a].flatten()[i].item() * (1 - likest)
            assert found[a, b].item() == pytest.approx(total / saliency[a].sum().item(), abs=1e-5)
    # What is hidden does not count: a picture and its upper half, the rest without saliency.
    half = maps.clone()
    half[:, :, 1:] = torch.randn(3, 4, 1, 3)
    upper = torch.tensor([1.0, 0.0]).view(1, 2, 1).expand(3, 2, 3)
    together = matched(torch.cat([half, maps]), torch.cat([upper, upper]))
    torch.testing.assert_close(together[:3, 3:].diagonal(), torch.zeros(3), atol=1e-6, rtol=0)


def test_gcps_stripe_and_its_rest_by_hand() -> None:
    from mfa.models.peers.gcp import Related

    # Two channels, four rows of one pixel, two stripes: maxima (3, 5) and (4, 1).
    x = torch.tensor([[[1.0, 3, 4, 2]], [[5.0, 0, 1, 1]]]).permute(1, 0, 2)[..., None]
    for number, own, rest in (
        (0, [3, 5], [4, 1]),
        (1, [4, 1], [3, 5]),
        (None, [4, 5], [3, 1]),
    ):
        found = Related(2, 2, number).seen(x)
        assert [part[0].tolist() for part in found] == [own, rest]
    # Three stripes: the rest is a mean.
    x = torch.tensor([1.0, 5.0, 2.0]).view(1, 1, 3, 1)
    assert Related(1, 3, 0).seen(x)[1].item() == pytest.approx(3.5)
    assert Related(1, 3, None).seen(x)[1].item() == pytest.approx(1.5)


def test_second_order_attention_equals_a_loop() -> None:
    from mfa.models.peers.parts.attention import SecondOrder

    torch.manual_seed(0)
    block = SecondOrder(4).eval()
    x = torch.randn(1, 4, 2, 3)
    assert torch.equal(block(x), x)
    torch.nn.init.ones_(block.last[1].weight)  # type: ignore[arg-type]
    theta, g = block.theta(x)[0].flatten(1), block.g(x)[0].flatten(1)  # (2, 6)
    mixed = torch.zeros(2, 6)
    for i in range(6):
        scores = torch.stack(
            [
                sum(
                    (theta[c, i] - theta[:, i].mean()) * (theta[c, j] - theta[:, j].mean())
                    for c in range(2)
                )
                / 2
                / 2**0.5
                for j in range(6)
            ]
        )
        weights = scores.exp() / scores.exp().sum()
        mixed[:, i] = (weights * g).sum(dim=1)
    torch.testing.assert_close(block(x), x + block.last(mixed.view(1, 2, 2, 3)))


def test_sona_drops_one_band_of_the_batch_in_training_alone() -> None:
    from mfa.models.peers.sona import Drop

    x = torch.ones(3, 2, 12, 5)
    assert torch.equal(Drop().eval()(x), x)
    torch.manual_seed(0)
    seen = set()
    for _ in range(20):
        rows = Drop().train()(x).flatten(3).sum(dim=(0, 1, 3))
        gone = [i for i, value in enumerate(rows.tolist()) if value == 0]
        assert len(gone) == 4
        assert gone == list(range(gone[0], gone[0] + 4))
        seen.add(gone[0])
    assert len(seen) > 4


def test_patches_are_dealt_evenly_and_to_the_part_they_are_like() -> None:
    from mfa.models.peers.aaformer import AlignedBlock, dealt

    likeness = torch.zeros(1, 2, 6)
    likeness[0, 0, :3] = 0.5
    likeness[0, 1, 3:] = 0.5
    assert dealt(likeness).tolist() == [[0, 0, 0, 1, 1, 1]]
    # One part is a little nearer to everything: evening out still gives the other its share.
    likeness[0, 0] += 0.2
    assert dealt(likeness).tolist() == [[0, 0, 0, 1, 1, 1]]
    torch.manual_seed(0)
    block = AlignedBlock(24)
    q, k = torch.randn(2, 12, 14, 2), torch.randn(2, 12, 14, 2)
    seen = block._seen(q, k)[:, 0] == 0
    assert bool(seen[:, 0].all())
    assert bool(seen[:, 6:].all())
    own = seen[:, 1:6, 6:].sum(dim=1)
    assert torch.equal(own, torch.ones_like(own))  # every patch is seen by one part
    assert torch.equal(seen[0, 1:6, 1:6], torch.eye(5, dtype=torch.bool))
    assert not bool(seen[:, 1:6, 0].any())
