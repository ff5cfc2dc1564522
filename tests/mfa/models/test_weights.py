"""Weights come in safely, and what did not fit is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import ResNet18_Weights, resnet18

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models import build_model, weights
from mfa.models.backbones import ResNet

TINY = ModelConfig(trunk="resnet10", width=8, stride=8, cpaa=())


def tiny(path: Path) -> ModelConfig:
    return replace(TINY, weights=str(path))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_from_a_path_fill_the_trunk(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(3)
    source = ResNet(TINY).state_dict()
    path = tmp_path / f"trunk{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": source}, path)
    else:
        save_file(source, path)
    model = build_model(tiny(path))
    for name, value in source.items():
        assert torch.equal(model.trunk.state_dict()[name], value)
    said = capsys.readouterr().err
    assert said == f"trunk from {path}: {len(source)} of {len(source)} tensors loaded\n"


def test_weights_of_another_trunk_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file(ResNet(ModelConfig(trunk="resnet10", width=16, cpaa=())).state_dict(), path)
    with pytest.raises(InputError, match="weights of another trunk"):
        build_model(tiny(path))


def test_what_did_not_fit_is_named() -> None:
    trunk = ResNet(TINY)
    state = trunk.state_dict()
    del state["bn1.bias"]
    state["conv1.weight"] = torch.zeros(8, 4, 7, 7)
    report = weights.fit_state(trunk, state, where="these")
    assert "another shape: conv1.weight" in report
    assert "kept as they were: bn1.bias" in report


@pytest.mark.parametrize("name", ["cut.safetensors", "cut.pth"])
def test_a_cut_file_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x80\x02 not much")
    with pytest.raises(InputError, match=name):
        build_model(tiny(path))


def test_imagenet_goes_through_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = resnet18(weights=None).state_dict()
    fetch = Mock(side_effect=[theirs, URLError("no route")])
    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", fetch)
    config = ModelConfig(trunk="resnet18", weights="imagenet", branches=0, cpaa=())
    found = build_model(config).trunk.state_dict()
    assert torch.equal(found["layer4.1.conv2.weight"], theirs["layer4.1.conv2.weight"])
    with pytest.raises(InputError, match="go online once"):
        build_model(config)


def test_imagenet_needs_torchvisions_sizes() -> None:
    with pytest.raises(InputError, match="width 32"):
        build_model(ModelConfig(trunk="resnet18", width=32, weights="imagenet"))


def test_a_file_of_weights_is_known_by_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "some.pth"
    path.write_bytes(b"one")
    first = weights.weights_stamp(tiny(path))
    path.write_bytes(b"two")
    assert first.startswith(f"{path} (sha256 ")
    assert weights.weights_stamp(tiny(path)) != first
    assert weights.weights_stamp(TINY) == ""
