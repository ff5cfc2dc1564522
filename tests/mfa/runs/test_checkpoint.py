from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from mfa import presets
from mfa.errors import InputError
from mfa.runs import checkpoint as module
from mfa.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, weights_hash
from mfa.runs.stored_config import to_json


def example(value: float = 1.5) -> Checkpoint:
    conv = torch.arange(24.0).reshape(2, 3, 2, 2)
    tensors = {
        "model.conv.weight": conv.to(memory_format=torch.channels_last),
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
    names = {"conv.weight", "bn.num_batches_tracked", "half", "scalar", "view"}
    assert set(checkpoint.part("model")) == names
    only = load_checkpoint(tmp_path / "new/run/checkpoint.safetensors", only="optimizer")
    assert set(only.tensors) == {"optimizer.0.step"}
    assert only.epoch == 4


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no checkpoint .*absent; train first"):
        load_checkpoint(tmp_path / "absent")
    with pytest.raises(InputError, match="no checkpoint"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.99])
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


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"format": "3", "epoch": "1"}])
def test_foreign_safetensors_are_refused(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.ones(3)}, path, metadata)
    with pytest.raises(InputError, match=r"foreign\.safetensors was not written by this version"):
        load_checkpoint(path)


def test_a_configuration_of_another_version_names_the_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = to_json(presets.demo()).replace('"seed"', '"sparkle": true, "seed"')
    monkeypatch.setattr(module, "to_json", lambda config: later)
    path = saved(tmp_path)
    with pytest.raises(InputError, match="has no field 'sparkle'"):
        load_checkpoint(path)


def rewritten(path: Path, *, tensors: dict[str, Tensor] | None = None, **metadata: str) -> None:
    """The file with other tensors or metadata, and the checksums of before."""
    with safe_open(path, framework="pt") as file:
        old = file.metadata()
    save_file(load_file(path) if tensors is None else tensors, path, {**old, **metadata})


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"epoch": "seven"}, "epoch .*no number that can be right"),
        ({"epoch": "9" * 5000}, "epoch .*no number that can be right"),
        ({"epoch": "-1"}, "epoch .*no number that can be right"),
        ({"identities": "1e9"}, "identities .*no number that can be right"),
        ({"config": "{"}, "configuration .* cannot be read"),
        ({"config": "[" * 100_000}, "configuration .* cannot be read"),
        ({"config": "[]"}, "configuration .* cannot be read"),
        ({"config": '{"seed": 3}'}, "configuration .* cannot be read"),
        ({"facts": "nothing"}, "facts .* cannot be read"),
        ({"facts": "[]"}, "no table of facts"),
        ({"facts": '{"cameras": "abc"}'}, "cameras are no list"),
        ({"facts": '{"cameras": ["a"]}'}, "cameras are no list"),
    ],
)
def test_damaged_metadata_is_one_sentence(
    tmp_path: Path, metadata: dict[str, str], words: str
) -> None:
    path = saved(tmp_path)
    rewritten(path, format="1", **metadata)  # which has no checksums
    with pytest.raises(InputError, match=words) as caught:
        load_checkpoint(path)
    assert len(str(caught.value)) < 400
    rewritten(path, format="2", **metadata)
    with pytest.raises(InputError, match=r"the header in .* changed since it was written"):
        load_checkpoint(path)


def test_changed_weights_and_names_are_noticed(tmp_path: Path) -> None:
    path = saved(tmp_path)
    whole = {name: value.clone() for name, value in load_file(path).items()}  # it may map the file
    other = {**whole, "model.scalar": torch.tensor(1.25)}
    renamed = {name.replace("bn", "bm"): value for name, value in whole.items()}
    for tensors in (other, renamed):
        rewritten(path, tensors=tensors)
        for only in ("", "model"):
            with pytest.raises(InputError, match=r"the model in .* changed since it was written"):
                load_checkpoint(path, only=only)
        assert load_checkpoint(path, only="criterion").epoch == 4
    rewritten(path, tensors=whole)
    assert load_checkpoint(path).epoch == 4


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
    monkeypatch.undo()
    assert path.read_bytes() == before
    save_checkpoint(example(2.5), path)
    assert load_checkpoint(path).tensors["model.scalar"].item() == 2.5
    assert [file.name for file in path.parent.iterdir()] == [path.name]


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


def test_a_file_that_may_not_be_read_is_called_so(
    tiny_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may read everything
    with pytest.raises(InputError, match="may not be read by this user"):
        load_checkpoint(tiny_run / "checkpoint.safetensors")
