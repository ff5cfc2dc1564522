"""A resumed training equals an undisturbed one, whatever it started from."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mfa.config import Config
from mfa.records import ReidDataset
from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint, save_checkpoint
from mfa.runs.history import HISTORY
from mfa.runs.run import open_run
from mfa.training.fit import fit


@pytest.fixture(autouse=True)
def clock_without_surprises(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that ticks once per look, so that histories can be compared byte for byte."""
    ticks = itertools.count()
    monkeypatch.setattr("mfa.training.trainer.clock", lambda device: float(next(ticks)))


def assert_resumes(
    config: Config, data: ReidDataset, folder: Path, init: Path | None = None
) -> None:
    half = replace(config, optim=replace(config.optim, cpu_bfloat16=True, epochs=2))
    start = None if init is None else open_run(init, "cpu")
    whole, cut = folder / "whole", folder / "cut"
    for _ in fit(half, data, whole, init=start, device="cpu", progress=False):
        pass
    next(fit(half, data, cut, init=start, device="cpu", progress=False))
    for _ in fit(half, data, cut, init=start, resume=True, device="cpu", progress=False):
        pass
    assert (whole / HISTORY).read_bytes() == (cut / HISTORY).read_bytes()
    a, b = load_checkpoint(whole / CHECKPOINT), load_checkpoint(cut / CHECKPOINT)
    assert (a.epoch, a.identities, a.facts, a.config) == (b.epoch, b.identities, b.facts, b.config)
    assert a.tensors.keys() == b.tensors.keys()
    for name, value in a.tensors.items():
        assert torch.equal(value, b.tensors[name]), name


@pytest.mark.parametrize("start", ["weights", "init"])
def test_from_the_weights_of_another_run(
    start: str, tiny_config: Config, tiny_data: ReidDataset, tiny_run: Path, tmp_path: Path
) -> None:
    config, init = tiny_config, tiny_run
    if start == "weights":
        config = replace(config, model=replace(config.model, weights=str(tiny_run)))
    assert_resumes(config, tiny_data, tmp_path, init if start == "init" else None)
    facts = load_checkpoint(tmp_path / "cut" / CHECKPOINT).facts
    assert facts["watch"]["start"] > 0
    assert ("(" in facts["weights"], bool(facts["init"])) == (start == "weights", start == "init")


def test_a_run_of_the_first_format_learns_its_watch_from_the_history(
    tiny_run: Path, tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    next(fit(tiny_config, tiny_data, tmp_path, device="cpu", progress=False))
    old = load_checkpoint(tmp_path / CHECKPOINT)
    norm = old.facts.pop("watch")["previous"]
    save_checkpoint(old, tmp_path / CHECKPOINT)
    for _ in fit(tiny_config, tiny_data, tmp_path, resume=True, device="cpu", progress=False):
        pass
    resumed, whole = load_checkpoint(tmp_path / CHECKPOINT), load_checkpoint(tiny_run / CHECKPOINT)
    assert resumed.facts["watch"]["start"] == norm
    assert resumed.facts["watch"]["previous"] == whole.facts["watch"]["previous"]
