"""The public model's file becomes the trunk osnet, and other files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models.omni_scale import OmniScaleTrunk
from mfa.models.weight_conversion.openvino_osnet import _order, read_osnet


def write_model(file: Path, trunk: OmniScaleTrunk) -> Path:
    """Write the constants of a graph like the public one: mean, deviation, then the trunk's."""
    state = trunk.state_dict()
    tensors = [torch.zeros(1, 3, 1, 1)] * 2 + [state[name] for name in _order(trunk)]
    layers, content = [], b""
    for number, value in enumerate(tensors):
        raw = value.half().numpy().tobytes()
        layers.append(
            f'<layer id="{number}" type="Const"><data element_type="f16" '
            f'shape="{",".join(map(str, value.shape))}" offset="{len(content)}" '
            f'size="{len(raw)}"/></layer>'
        )
        content += raw
    file.write_text(f"<net><layers>{''.join(layers)}</layers></net>")
    file.with_suffix(".bin").write_bytes(content)
    return file


@pytest.fixture
def trunk() -> OmniScaleTrunk:
    torch.manual_seed(0)
    return OmniScaleTrunk(ModelConfig(trunk="osnet_lct", cpaa=()))


def test_every_parameter_is_read(tmp_path: Path, trunk: OmniScaleTrunk) -> None:
    state = read_osnet(write_model(tmp_path / "model.xml", trunk))
    assert set(state) == set(trunk.state_dict())
    for name, value in trunk.state_dict().items():
        assert torch.equal(state[name], value.half().float())


def test_another_architecture_is_refused(tmp_path: Path, trunk: OmniScaleTrunk) -> None:
    trunk.layer1[0].reduce = torch.nn.Conv2d(64, 32, 1)  # type: ignore[index]
    with pytest.raises(
        InputError, match="another architecture: where the trunk osnet_lct has layer1"
    ):
        read_osnet(write_model(tmp_path / "model.xml", trunk))


def test_a_file_cut_short_or_missing_is_named(tmp_path: Path, trunk: OmniScaleTrunk) -> None:
    file = write_model(tmp_path / "model.xml", trunk)
    binary = file.with_suffix(".bin")
    binary.write_bytes(binary.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"^\S+\.bin is cut short"):
        read_osnet(file)
    binary.unlink()
    with pytest.raises(InputError, match=r"no file .*model\.bin"):
        read_osnet(file)
    file.write_text("no model")
    binary.write_bytes(b"")
    with pytest.raises(InputError, match="no OpenVINO model"):
        read_osnet(file)
