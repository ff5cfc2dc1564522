from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mfa import presets
from mfa.config import Config, OptimConfig
from mfa.errors import InputError
from mfa.runs import checkpoint as module
from mfa.runs.checkpoint import (
    Checkpoint,
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
    weights_hash,
)
from mfa.training.schedule import make_optimizer


def example(value: float = 1.5) -> Checkpoint:
    tensors = {
        "model.conv.weight": torch.arange(24.0)
        .reshape(2, 3, 2, 2)
        .to(memory_format=torch.channels_last),
        "model.bn.num_batches_tracked": torch.tensor(7),
        "model.half": torch.tensor([0.1, float("inf")], dtype=torch.float16),
        "model.scalar": torch.tensor(value, requires_grad=True),
        "model.view": torch.arange(6.0).reshape(2, 3).T,
        "criterion.centers": torch.zeros(0, 4),
        "optimizer.0.step": torch.tensor(3.0),
    }
    facts = {"dataset": "märket", "left_out": ["a.jpg: 0 bytes"], "nothing": None, "torch": "2"}
    return Checkpoint(presets.demo(), epoch=4, identities=5, tensors=tensors, facts=facts)


def saved(tmp_path: Path) -> Path:
    path = tmp_path / "new/run/checkpoint.safetensors"
    save_checkpoint(example(), path)
    return path


def test_everything_comes_back(tmp_path: Path) -> None:
    before, after = example(), load_checkpoint(saved(tmp_path))
    assert (after.config, after.epoch, after.identities) == (before.config, 4, 5)
    assert after.facts == before.facts
    assert after.tensors.keys() == before.tensors.keys()
    for name, tensor in before.tensors.items():
        assert after.tensors[name].dtype == tensor.dtype, name
        assert torch.equal(after.tensors[name], tensor), name


def test_a_part_is_named_without_its_prefix(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(saved(tmp_path))
    assert set(checkpoint.part("criterion")) == {"centers"}
    assert set(checkpoint.part("model")) == {
        "conv.weight",
        "bn.num_batches_tracked",
        "half",
        "scalar",
        "view",
    }
    only = load_checkpoint(tmp_path / "new/run/checkpoint.safetensors", prefix="optimizer.")
    assert set(only.tensors) == {"optimizer.0.step"}
    assert only.epoch == 4


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no checkpoint .*absent; train first"):
        load_checkpoint(tmp_path / "absent")
    with pytest.raises(InputError, match="no checkpoint"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, share: float) -> None:
    path = saved(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"checkpoint\.safetensors is no complete checkpoint"):
        load_checkpoint(path)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"weight": torch.ones(3)}, path)
    with pytest.raises(InputError, match=r"weights\.pth is no complete checkpoint"):
        load_checkpoint(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"format": "2", "epoch": "1"}])
def test_foreign_safetensors_are_refused(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.ones(3)}, path, metadata)
    with pytest.raises(InputError, match=r"foreign\.safetensors was not written by this package"):
        load_checkpoint(path)


def test_a_configuration_of_another_version_names_the_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = '{"format": 2, "seed": 1, "sparkle": true}'
    monkeypatch.setattr(module, "to_json", lambda config: later)
    path = saved(tmp_path)
    with pytest.raises(InputError, match="has no field 'sparkle'"):
        load_checkpoint(path)


def test_a_failure_while_saving_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path)
    before = path.read_bytes()

    def half(tensors: dict[str, Tensor], file: Path, metadata: dict[str, str]) -> None:
        file.write_bytes(before[: len(before) // 2])
        raise OSError("no space left on device")

    monkeypatch.setattr(module, "save_file", half)
    with pytest.raises(InputError, match="no space"):
        save_checkpoint(example(2.5), path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_saving_again_replaces(tmp_path: Path) -> None:
    path = saved(tmp_path)
    save_checkpoint(example(2.5), path)
    assert load_checkpoint(path).tensors["model.scalar"].item() == 2.5
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    moved = tmp_path / "moved"
    shutil.move(path, moved)
    assert load_checkpoint(moved).epoch == 4


def test_the_hash_tells_weights_apart_and_nothing_else() -> None:
    state = {"a": torch.arange(16.0).reshape(2, 2, 2, 2), "n": torch.tensor(3)}
    digest = weights_hash(state)
    assert len(digest) == 12
    assert int(digest, 16) >= 0
    assert weights_hash(dict(reversed(state.items()))) == digest
    layout = state["a"].contiguous(memory_format=torch.channels_last)
    assert weights_hash({**state, "a": layout}) == digest
    other = state["a"].clone()
    other[0, 0, 0, 0] = 1e-30
    assert weights_hash({**state, "a": other}) != digest
    assert weights_hash({**state, "n": torch.tensor(4)}) != digest
    assert weights_hash({"b": state["a"], "n": state["n"]}) != digest


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_an_optimiser_goes_on_as_if_nothing_happened(kind: str) -> None:
    config = OptimConfig(optimizer=kind)  # type: ignore[arg-type]
    inputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))

    def steps(network: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            network(inputs).square().sum().backward()
            optimizer.step()

    def fresh() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))

    straight = fresh()
    steps(straight, make_optimizer(straight, config), 4)

    first = fresh()
    optimizer = make_optimizer(first, config)
    steps(first, optimizer, 2)
    tensors = {name: value.clone() for name, value in optimizer_tensors(optimizer).items()}
    assert all(name.split(".")[0].isdigit() for name in tensors)
    second = fresh()
    second.load_state_dict(first.state_dict())
    resumed = make_optimizer(second, config)
    restore_optimizer(resumed, tensors)
    steps(second, resumed, 2)
    for a, b in zip(straight.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_an_optimiser_before_its_first_step_has_nothing_to_keep() -> None:
    network = nn.Linear(2, 2)
    optimizer = make_optimizer(network, Config().optim)
    assert optimizer_tensors(optimizer) == {}
    restore_optimizer(optimizer, {})
    assert optimizer.state_dict()["state"] == {}
