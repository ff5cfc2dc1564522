"""A run opened from disk, and a network before any training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mfa.config import Config
from mfa.errors import InputError
from mfa.runs.run import open_run, untrained


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
