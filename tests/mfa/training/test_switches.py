"""Switches of a training that are no part of its configuration: compiled steps, events."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mfa.config import Config
from mfa.errors import InputError
from mfa.records import ReidDataset
from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint
from mfa.runs.history import read_history
from mfa.runs.run import open_run
from mfa.training.fit import fit

CLOCK = ["seconds", "images_per_second"]


def events(run: Path) -> dict[str, dict[int, float]]:
    """By column the figure of each epoch."""
    read = EventAccumulator(str(run / "tensorboard")).Reload()
    return {
        tag: {event.step: event.value for event in read.Scalars(tag)}
        for tag in read.Tags()["scalars"]
    }


def test_events_equal_the_history_also_after_a_resume(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    train = partial(fit, tiny_config, tiny_data, tmp_path, device="cpu", progress=False)
    next(train(tensorboard=True))
    list(train(tensorboard=True, resume=True))
    history = read_history(tmp_path)
    assert history["epoch"].tolist() == [1, 2]
    history = history.set_index("epoch").drop(columns="warnings").astype(np.float32)
    expected = {name: dict(column) for name, column in history.items()}
    assert events(tmp_path) == expected
    assert len(list((tmp_path / "tensorboard").iterdir())) == 1


def test_events_of_a_training_that_left_no_checkpoint_go(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    stale = tmp_path / "tensorboard/events.out.tfevents.1.old"
    stale.parent.mkdir()
    stale.write_bytes(b"")
    next(fit(tiny_config, tiny_data, tmp_path, device="cpu", progress=False, tensorboard=True))
    assert not stale.exists()
    assert events(tmp_path)["total"].keys() == {1}


def test_events_without_the_extra_or_a_folder_are_refused(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="need a run folder"):
        next(fit(tiny_config, tiny_data, progress=False, tensorboard=True))
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(InputError, match=r"pip install 'mfa-workbench\[tensorboard\]'"):
        next(fit(tiny_config, tiny_data, tmp_path, progress=False, tensorboard=True))


def test_a_compiled_training_keeps_the_names_of_its_weights_and_resumes(
    tiny_run: Path,
    tiny_config: Config,
    tiny_data: ReidDataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The network's Python is translated; the C++ behind it, which takes a minute, is left out.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    for run, epochs in ((tmp_path / "whole", 2), (tmp_path / "cut", 1)):
        train = partial(fit, tiny_config, tiny_data, run, device="cpu", progress=False)
        records = train(compile=True)
        for _ in range(epochs):
            next(records)
    list(train(compile=True, resume=True))
    whole, cut, plain = (
        load_checkpoint(run / CHECKPOINT)
        for run in (tmp_path / "whole", tmp_path / "cut", tiny_run)
    )
    assert cut.equals(whole)
    assert whole.tensors.keys() == plain.tensors.keys()
    for name, value in plain.part("model").items():
        torch.testing.assert_close(whole.part("model")[name], value, rtol=0.05, atol=0.02)
    open_run(tmp_path / "whole", "cpu").model  # noqa: B018


def test_a_failed_compilation_is_a_sentence(
    tiny_config: Config, tiny_data: ReidDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def backend(graph: object, inputs: object) -> object:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))
    with pytest.raises(InputError, match=r"torch\.compile cannot .* leave out --compile"):
        next(fit(tiny_config, tiny_data, device="cpu", progress=False, compile=True))
