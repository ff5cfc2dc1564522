"""A pre-trained vision transformer's tensors arrive in ours, and do there what they did at home."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor
from torchvision.models.vision_transformer import VisionTransformer

from mfa import presets
from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models import build_model
from mfa.models.peers.parts.peer import PeerNetwork
from mfa.models.peers.parts.vitweights import resized

State = dict[str, Tensor]


def small(name: str, weights: Path | str = "none", **changes: object) -> ModelConfig:
    config = presets.get(f"{name}-demo").model
    fields = {"width": 8, "stride": 16, "sie": False, "weights": str(weights), **changes}
    return replace(config, **fields)  # type: ignore[arg-type]


def theirs(layers: int = 4) -> VisionTransformer:
    """torchvision's, of 12 heads of 8 channels; every patch has the same position."""
    torch.manual_seed(3)
    vit = VisionTransformer(64, 16, layers, 12, 96, 384, num_classes=5).eval()
    with torch.no_grad():
        for parameter in vit.parameters():
            parameter.copy_(0.2 * torch.randn_like(parameter))
        position = vit.encoder.pos_embedding
        position[:, 1:] = position[:, 1:2]
    return vit


def as_timm(state: State) -> State:
    """The same tensors as timm names them."""
    pairs = (
        ("conv_proj.", "patch_embed.proj."),
        ("class_token", "cls_token"),
        ("encoder.pos_embedding", "pos_embed"),
        ("encoder.layers.encoder_layer_", "blocks."),
        ("encoder.ln.", "norm."),
        (".ln_", ".norm"),
        (".self_attention.in_proj_", ".attn.qkv."),
        (".self_attention.out_proj.", ".attn.proj."),
        (".mlp.0.", ".mlp.fc1."),
        (".mlp.3.", ".mlp.fc2."),
        ("heads.head.", "head."),
    )
    found = {}
    for name, value in state.items():
        for old, new in pairs:
            name = name.replace(old, new)
        found[name] = value
    return found


def as_older(state: State) -> State:
    """The same tensors by torchvision's older names, which its files still have."""
    return {
        n.replace("mlp.0", "mlp.linear_1").replace("mlp.3", "mlp.linear_2"): t
        for n, t in state.items()
    }


@pytest.mark.parametrize("rename", [dict, as_older, as_timm])
def test_a_picture_comes_out_as_from_torchvision(
    rename: Callable[[State], State], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vit, path = theirs(), tmp_path / "vit.pth"
    torch.save(rename(vit.state_dict()), path)
    network = build_model(small("transreid", path)).eval()
    assert isinstance(network, PeerNetwork)
    loaded = len(network.trunk.state_dict()) + len(network.stems.state_dict())
    said = capsys.readouterr().err
    assert said == f"trunk from {path}: {loaded} of {loaded} tensors loaded\n"
    vit.heads = torch.nn.Identity()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        wanted = vit(network.normalise(images))
        branches = network(images).branches
        torch.testing.assert_close(branches["global"].pooled, wanted, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(branches["part1"].pooled, wanted, atol=1e-2)


def test_the_last_block_starts_both_copies_and_aaformers(tmp_path: Path) -> None:
    path = tmp_path / "vit.pth"
    torch.save(theirs().state_dict(), path)
    wanted = theirs().encoder.layers[3].mlp[0].weight
    for name, copies in (("transreid", 2), ("aaformer", 1)):
        own = dict(build_model(small(name, path)).named_parameters())
        found = [n for n, p in own.items() if p.shape == wanted.shape and torch.equal(p, wanted)]
        assert len(found) == copies
        assert all(n.startswith("stems.") for n in found)


def test_imagenet_is_torchvisions_vit_b_16(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = torchvision.models.ViT_B_16_Weights
    with torch.device("meta"):
        shapes = torchvision.models.vit_b_16(weights=None).state_dict()
    # Each tensor is full of its own number, without the memory.
    full = {n: torch.tensor(float(i)).expand(t.shape) for i, (n, t) in enumerate(shapes.items())}
    state = as_older(full)
    asked = []

    def fetch(self: object, **_: object) -> State:
        asked.append(self)
        return state

    monkeypatch.setattr(kind, "get_state_dict", fetch)
    # Random starts are slow at this size, and all of them are overwritten.
    monkeypatch.setattr(torch.nn.init, "trunc_normal_", lambda tensor, **_: tensor)
    monkeypatch.setattr(torch.nn.Linear, "reset_parameters", lambda self: None)
    network = build_model(replace(presets.get("transreid").model, stride=12))
    assert asked == [kind.IMAGENET1K_V1]
    own = network.state_dict()
    layer = "encoder.layers.encoder_layer_{}.self_attention.in_proj_weight"
    assert torch.equal(own["trunk.block11.attn.qkv.weight"], state[layer.format(10)])
    assert torch.equal(own["stems.jigsaw.block.attn.qkv.weight"], state[layer.format(11)])
    assert own["trunk.patches.position"].shape == (1, 768, 21, 10)
    assert re.search(r"trunk from imagenet: (\d+) of \1 tensors loaded\n", capsys.readouterr().err)


def test_positions_are_resized_as_a_picture() -> None:
    # 14 rows and columns; each position says its row and its column.
    row, column = torch.meshgrid(torch.arange(14.0), torch.arange(14.0), indexing="ij")
    found = resized(torch.stack([row.flatten(), column.flatten()], dim=1), 16, 7)
    assert found.shape == (1, 2, 16, 7)
    # Row 7 of 16 has its centre at 7.5 / 16 of the height, which is 7.5 / 16 * 14 - 0.5 of theirs.
    assert found[0, 0, 7, 0].item() == pytest.approx(6.0625)
    torch.testing.assert_close(found[0, 1, 0], torch.arange(7.0) * 2 + 0.5)
    with pytest.raises(InputError, match=r"128 positions.*import-weights --from transreid"):
        resized(torch.zeros(128, 2), 16, 8)


def test_a_network_of_ours_is_a_start_too(tmp_path: Path) -> None:
    torch.manual_seed(1)
    first = build_model(small("transreid"), 3)
    path = tmp_path / "first.pth"
    torch.save({f"model.{name}": value for name, value in first.state_dict().items()}, path)
    second = build_model(small("transreid", path), 4)
    own = second.state_dict()
    for name, value in first.state_dict().items():
        if name.startswith(("trunk.", "stems.")):
            assert torch.equal(own[name], value), name
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="weights of another trunk"):
        build_model(small("transreid", path))


def test_transformers_of_another_size_are_refused(tmp_path: Path) -> None:
    for name in ("transreid", "aaformer"):
        with pytest.raises(InputError, match=r"ViT-B/16.*not for trunk vit_depth4 at width 8"):
            build_model(small(name, "imagenet"))
    path = tmp_path / "deep.pth"
    torch.save(theirs(layers=5).state_dict(), path)
    with pytest.raises(InputError, match="5 blocks, where the network has 4"):
        build_model(small("transreid", path))
    torch.save(theirs().state_dict(), path)
    with pytest.raises(InputError, match="weights of another trunk"):
        build_model(small("transreid", path, width=16))


def test_patches_that_overlap_have_their_grid() -> None:
    network = build_model(small("transreid", stride=12)).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 256, 128)).trunk.shape[2:] == (21, 10)
        assert network(torch.rand(1, 3, 64, 40)).trunk.shape[2:] == (5, 3)
