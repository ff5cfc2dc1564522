"""A run opened from disk, and a network before any training."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from mfa.config import Config
from mfa.errors import InputError
from mfa.records import ReidDataset
from mfa.runs.checkpoint import CHECKPOINT
from mfa.runs.run import open_run, untrained
from mfa.runs.stored_config import to_json
from mfa.training.fit import fit


def test_a_trained_run_opens_by_path_and_by_name(
    tiny_run: Path, tiny_config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = open_run(tiny_run)
    assert (run.name, run.path, run.config) == ("tiny", tiny_run, tiny_config)
    assert len(run.history) == 2
    assert not run.model.training
    state = run.model.state_dict()
    assert state.keys() == run.checkpoint.part("model").keys()
    for name, value in run.checkpoint.part("model").items():
        assert torch.equal(state[name], value), name
    assert all(name.startswith("model.") for name in run.checkpoint.tensors)

    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/short").symlink_to(tiny_run)
    monkeypatch.chdir(tmp_path)
    assert open_run("short").hash == run.hash
    assert open_run("runs/short").hash == run.hash


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match=r"no checkpoint .*; train first"):
            open_run(path)


def test_random_weights_follow_from_the_seed_alone(tiny_config: Config) -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    run = untrained(tiny_config)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    assert untrained(tiny_config).hash == run.hash
    assert untrained(replace(tiny_config, seed=4)).hash != run.hash
    assert (run.path, run.name, run.checkpoint.epoch) == (None, "untrained", 0)
    assert not run.model.training
    with pytest.raises(InputError, match="no history"):
        _ = run.history


def test_untrained_loads_no_weights(tiny_config: Config) -> None:
    model = replace(tiny_config.model, weights="/nowhere/weights.pth")
    run = untrained(replace(tiny_config, model=model))
    assert run.hash == untrained(tiny_config).hash


def damaged(
    run: Path, folder: Path, change: Callable[[dict[str, Tensor]], None], **facts: Any
) -> Path:
    """A run of the first format, which has no checksums, with other tensors or settings."""
    tensors = load_file(run / CHECKPOINT)
    change(tensors)
    with safe_open(run / CHECKPOINT, framework="pt") as file:
        metadata = {**file.metadata(), "format": "1", **facts}
    folder.mkdir()
    save_file(tensors, folder / CHECKPOINT, metadata)
    return folder


def flip_a_letter(tensors: dict[str, Tensor]) -> None:
    name = next(name for name in tensors if name.endswith("neck.weight"))
    tensors[name.replace("neck", "nech")] = tensors.pop(name)


def cut_a_tensor(tensors: dict[str, Tensor]) -> None:
    name = next(name for name in tensors if name.endswith("conv1.weight"))
    tensors[name] = tensors[name][:3].clone()


def leave(tensors: dict[str, Tensor]) -> None:
    """Change nothing."""


@pytest.mark.parametrize(
    ("change", "metadata"),
    [
        (flip_a_letter, {}),
        (cut_a_tensor, {}),
        (leave, {"identities": "99999999"}),  # a terabyte of classifiers
    ],
)
def test_weights_that_do_not_fit_are_one_sentence(
    tiny_run: Path,
    tmp_path: Path,
    change: Callable[[dict[str, Tensor]], None],
    metadata: dict[str, str],
) -> None:
    run = open_run(damaged(tiny_run, tmp_path / "run", change, **metadata))
    with pytest.raises(InputError, match=r"weights of .* do not fit their configuration") as caught:
        _ = run.model
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("field", ["branches", "width"])
def test_absurd_sizes_cost_no_time_and_no_memory(
    tiny_run: Path, tmp_path: Path, field: str
) -> None:
    with safe_open(tiny_run / CHECKPOINT, framework="pt") as file:
        config = json.loads(file.metadata()["config"])
    config["model"][field] = 10**6 * 8
    run = damaged(tiny_run, tmp_path / "run", leave, config=json.dumps(config))
    with pytest.raises(InputError):
        _ = open_run(run).model


def test_a_resume_from_damaged_state_is_one_sentence(
    tiny_run: Path, tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    def lose(tensors: dict[str, Tensor]) -> None:
        del tensors[next(name for name in tensors if name.endswith("exp_avg"))]

    def rename(tensors: dict[str, Tensor]) -> None:
        name = next(name for name in tensors if name.endswith("exp_avg"))
        tensors["optimizer.x7.exp_avg"] = tensors.pop(name)

    more = replace(tiny_config, optim=replace(tiny_config.optim, epochs=3))
    for number, change in enumerate((lose, rename, flip_a_letter)):
        run = damaged(tiny_run, tmp_path / f"run{number}", change, config=to_json(more))
        before = (run / CHECKPOINT).read_bytes()
        with pytest.raises(InputError, match="state of the training does not fit"):
            list(fit(more, tiny_data, run, resume=True, device="cpu", progress=False))
        assert (run / CHECKPOINT).read_bytes() == before


def test_a_device_that_is_not_there_and_an_unknown_precision(tiny_run: Path) -> None:
    with pytest.raises(InputError, match="this machine has no cuda:99"):
        open_run(tiny_run, "cuda:99")
    with pytest.raises(InputError, match="no device 'gpu'"):
        open_run(tiny_run, "gpu")
    with pytest.raises(InputError, match="no precision 'half'"):
        open_run(tiny_run, precision="half")


def test_sixteen_bits_are_a_switch(tiny_run: Path) -> None:
    images = torch.rand(2, 3, 64, 32)
    found = {}
    for precision in ("float32", "bfloat16"):
        run = open_run(tiny_run, "cpu", precision)
        with torch.no_grad(), run.autocast():
            found[precision] = run.model(images).trunk
    assert found["float32"].dtype == torch.float32
    assert found["bfloat16"].dtype == torch.bfloat16
    torch.testing.assert_close(found["bfloat16"].float(), found["float32"], rtol=0.1, atol=0.1)
