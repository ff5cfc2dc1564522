from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mfa.config import Config
from mfa.errors import InputError
from mfa.models import build_model
from mfa.runs.checkpoint import weights_hash
from mfa.runs.export import release
from mfa.runs.run import Run, open_run, untrained


@pytest.fixture
def run(tiny_run: Path) -> Run:
    return open_run(tiny_run, "cpu")


def test_the_file_holds_the_network_alone_and_gives_nearly_its_descriptors(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "small.safetensors"
    release(run, file, name="small")
    stored = load_file(file)
    assert all(name.startswith("model.") for name in stored)
    assert not any("classifier" in name for name in stored)
    assert all(v.dtype == torch.float16 for v in stored.values() if v.ndim > 1)
    assert all(v.dtype != torch.float16 for v in stored.values() if v.ndim <= 1)
    back = open_run(file)
    assert back.config == replace(run.config, name="small")
    images = torch.rand(3, 3, 64, 32)
    with torch.no_grad():
        difference = back.model(images).descriptor - run.model(images).descriptor
    assert difference.abs().max() < 1e-3
    assert back.hash == weights_hash(back.checkpoint.part("model"))


def test_of_the_first_weights_only_the_name_is_kept(run: Run, tmp_path: Path) -> None:
    old = run.checkpoint.config
    config = replace(old, model=replace(old.model, weights="/home/me/secret/trunk.pth"))
    release(Run(None, replace(run.checkpoint, config=config)), tmp_path / "small.safetensors")
    assert open_run(tmp_path / "small.safetensors").config.model.weights == "trunk.pth"


def test_competing_gates_may_be_raised(run: Run, tiny_config: Config, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="they take no height"):
        release(run, tmp_path / "raised.safetensors", gate_height=1.2)
    competing = replace(tiny_config, model=replace(tiny_config.model, gate="competing"))
    release(untrained(competing), tmp_path / "raised.safetensors", gate_height=1.2)
    made = open_run(tmp_path / "raised.safetensors").checkpoint.part("model")
    heights = [value.item() for name, value in made.items() if name.endswith(".gate.k")]
    assert heights == pytest.approx([1.2] * tiny_config.model.branches)


def test_released_weights_start_a_trunk(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "small.safetensors"
    release(run, file)
    model = build_model(replace(run.config.model, weights=str(file)), 5)
    theirs = run.model.trunk.state_dict()
    for name, value in model.trunk.state_dict().items():
        assert torch.allclose(value, theirs[name], rtol=1e-3, atol=1e-6), name


def test_an_existing_file_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"precious")
    with pytest.raises(InputError, match="exists already"):
        release(run, file)
    assert file.read_bytes() == b"precious"
