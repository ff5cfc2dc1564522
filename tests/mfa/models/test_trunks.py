"""Every trunk answers the same calls, and starts from its published weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import mobilenet_v2

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models import build_model
from mfa.models.mobile import rename_published
from mfa.models.omni_scale import ChannelContrast
from mfa.models.trunk import LAYERS

SMALL = {"osnet_lct": 512, "mobilenet_v2": 320, "efficientnet_lite0": 320}
"""Trunks beside the ResNets, and the channels of their maps."""


def config(name: str, **changes: object) -> ModelConfig:
    if name == "efficientnet_lite0":
        pytest.importorskip("timm")
    return replace(ModelConfig(trunk=name), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("stride", [8, 16])
def test_the_map_has_the_stride_and_every_layer_can_be_gone_on_from(name: str, stride: int) -> None:
    trunk = build_model(config(name, stride=stride)).trunk.eval()
    images = torch.rand(2, 3, 64, 32)
    with torch.no_grad():
        whole = trunk(images)
        assert whole.shape == (2, SMALL[name], 64 // stride, 32 // stride)
        assert trunk.channels == SMALL[name]
        for layer in LAYERS:
            assert torch.allclose(trunk.after(layer, trunk.up_to(layer, images)), whole, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_cpaa_stands_after_the_layers_that_are_named(name: str) -> None:
    assert set(build_model(config(name, cpaa=(2, 4))).trunk.cpaa) == {"layer2", "layer4"}


@pytest.mark.parametrize("name", SMALL)
def test_a_width_or_a_stride_of_another_trunk_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"does not read model\.width.*set it to 64"):
        build_model(config(name, width=32))
    with pytest.raises(InputError, match="has no stride 12"):
        build_model(config(name, stride=12))


def test_torchvision_names_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = mobilenet_v2(weights=None)
    torch.save(source.state_dict(), tmp_path / "mobile.pth")
    model = build_model(config("mobilenet_v2", cpaa=(), weights=str(tmp_path / "mobile.pth")))
    assert "306 of 306 tensors loaded" in capsys.readouterr().err
    found = model.trunk.state_dict()["layer4.17.conv.1.0.weight"]
    assert torch.equal(found, source.state_dict()["features.17.conv.1.0.weight"])


def test_a_mobilenet_of_flat_blocks_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = mobilenet_v2(weights=None)
    wanted = source.state_dict()["features.17.conv.1.0.weight"].clone()
    for block in source.features[1:18]:
        leaves = [module for module in block.conv.modules() if not list(module.children())]
        block.conv = torch.nn.Sequential(*leaves)
    torch.save(source.state_dict(), tmp_path / "flat.pth")
    model = build_model(config("mobilenet_v2", cpaa=(), weights=str(tmp_path / "flat.pth")))
    assert "306 of 306 tensors loaded" in capsys.readouterr().err
    assert torch.equal(model.trunk.state_dict()["layer4.17.conv.1.0.weight"], wanted)


def test_weights_of_another_trunk_are_refused(tmp_path: Path) -> None:
    save_file(build_model(config("osnet_lct")).trunk.state_dict(), tmp_path / "osnet.safetensors")
    with pytest.raises(InputError, match="another trunk"):
        build_model(config("mobilenet_v2", weights=str(tmp_path / "osnet.safetensors")))


def test_osnet_has_no_imagenet_weights() -> None:
    with pytest.raises(InputError, match="no ImageNet weights of the trunk osnet_lct"):
        build_model(config("osnet_lct", weights="imagenet"))


def test_the_other_efficientnet_naming_is_timms_in_disguise() -> None:
    timm = pytest.importorskip("timm")
    theirs = ["_conv_stem.weight", "_bn0.bias", "_blocks.0._depthwise_conv.weight"]
    theirs += ["_blocks.0._project_conv.weight", "_blocks.15._expand_conv.weight"]
    theirs += ["_blocks.15._bn2.running_mean", "_blocks.9._depthwise_conv.weight"]
    renamed = rename_published({name: torch.zeros(1) for name in theirs})
    state = timm.create_model("tf_efficientnet_lite0").state_dict()
    assert len(renamed) == len(theirs)
    assert set(renamed) <= set(state)
    assert {"blocks.6.0.conv_pw.weight", "blocks.4.1.conv_dw.weight"} <= set(renamed)


def test_a_pixel_that_excites_all_channels_alike_becomes_zero() -> None:
    x = torch.zeros(1, 8, 2, 2)
    x[0, :, 0, 0] = torch.linspace(20, 30, 8)
    x[0, 3, 1, 1] = 4
    made = ChannelContrast()(x)
    assert made[0, :, 0, 0].abs().max() == 0
    assert made[0, 3, 1, 1] == 3  # 4 less twice the mean of 0.5
    assert made.count_nonzero() == 1
