from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mfa.config import Config, from_json
from mfa.errors import InputError
from mfa.records import EpochRecord
from mfa.runs import run as module
from mfa.runs.checkpoint import Checkpoint, load_checkpoint
from mfa.runs.run import CHECKPOINT, HISTORY, RunFolder, open_run, read_history, untrained
from mfa.training.collapse import CollapseWatch


def record(epoch: int, value: float = 0.5, *, warnings: tuple[str, ...] = ()) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        losses={"total": value, "triplet": value / 3, "branch1/id": value / 7},
        lr=value / 11,
        images_per_second=12.345,
        seconds=1.23456,
        feature_norm=value / 13,
        separation={"centroid/branch1": value / 17},
        warnings=warnings,
    )


def checkpoint(config: Config, epoch: int) -> Checkpoint:
    tensors = {"model.weight": torch.full((2,), float(epoch))}
    return Checkpoint(config, epoch, identities=3, tensors=tensors, facts={"dataset": "x"})


def begun(path: Path, config: Config, epochs: int = 1) -> RunFolder:
    folder = RunFolder(path)
    assert folder.begin(config, resume=False) is None
    for epoch in range(1, epochs + 1):
        folder.save(checkpoint(config, epoch), record(epoch, epoch / 10))
    return folder


def files(path: Path) -> set[str]:
    return {file.name for file in path.iterdir()}


def test_a_folder_holds_three_files_and_no_leftovers(tmp_path: Path, tiny_config: Config) -> None:
    begun(tmp_path / "a/b", tiny_config, epochs=2)
    assert files(tmp_path / "a/b") == {CHECKPOINT, HISTORY, "config.json"}
    assert load_checkpoint(tmp_path / "a/b" / CHECKPOINT).epoch == 2
    assert from_json((tmp_path / "a/b/config.json").read_text()) == tiny_config


def test_a_run_is_not_overwritten(tmp_path: Path, tiny_config: Config) -> None:
    folder = begun(tmp_path, tiny_config)
    before = {file: (tmp_path / file).read_bytes() for file in files(tmp_path)}
    with pytest.raises(InputError, match="already holds a run; go on with --resume"):
        folder.begin(tiny_config, resume=False)
    with pytest.raises(InputError, match="already holds a run"):
        folder.begin(replace(tiny_config, seed=9), resume=False)
    assert {file: (tmp_path / file).read_bytes() for file in files(tmp_path)} == before


def test_resuming_gives_the_checkpoint_or_starts(tmp_path: Path, tiny_config: Config) -> None:
    assert RunFolder(tmp_path / "new").begin(tiny_config, resume=True) is None
    found = begun(tmp_path / "old", tiny_config, epochs=2).begin(tiny_config, resume=True)
    assert found is not None
    assert found.epoch == 2
    assert found.tensors["model.weight"].tolist() == [2, 2]


def test_resuming_with_another_configuration_names_the_field(
    tmp_path: Path, tiny_config: Config
) -> None:
    folder = begun(tmp_path, tiny_config)
    optim = replace(tiny_config.optim, lr=0.5)
    with pytest.raises(InputError, match=r"optim\.lr was 0\.002, now 0\.5\); resume with"):
        folder.begin(replace(tiny_config, optim=optim), resume=True)
    model = replace(tiny_config.model, cpaa=(2, 4))
    with pytest.raises(InputError, match=r"model\.cpaa was \[4\], now \[2, 4\]"):
        folder.begin(replace(tiny_config, model=model), resume=True)
    with pytest.raises(InputError, match=r"\(seed was 3, now 4\)"):
        folder.begin(replace(tiny_config, seed=4), resume=True)


def test_another_name_is_no_other_configuration(tmp_path: Path, tiny_config: Config) -> None:
    folder = begun(tmp_path, tiny_config)
    assert folder.begin(replace(tiny_config, name="renamed"), resume=True) is not None


def test_what_an_unfinished_first_epoch_left_is_cleared(
    tmp_path: Path, tiny_config: Config
) -> None:
    begun(tmp_path, tiny_config)
    (tmp_path / CHECKPOINT).unlink()
    other = replace(tiny_config, seed=8)
    assert RunFolder(tmp_path).begin(other, resume=False) is None
    assert files(tmp_path) == {"config.json"}
    assert json.loads((tmp_path / "config.json").read_text())["seed"] == 8


def test_the_line_of_an_epoch_that_was_not_saved_is_dropped(
    tmp_path: Path, tiny_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = begun(tmp_path, tiny_config, epochs=2)

    def fails(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "save_checkpoint", fails)
        with pytest.raises(OSError, match="no space"):
            folder.save(checkpoint(tiny_config, 3), record(3))
    assert read_history(tmp_path)["epoch"].tolist() == [1, 2, 3]
    found = folder.begin(tiny_config, resume=True)
    assert found is not None
    seen: list[tuple[float, float]] = []

    class Watch(CollapseWatch):
        def update(self, feature_norm: float, triplet: float) -> tuple[str, ...]:
            seen.append((feature_norm, triplet))
            return ()

    folder.replay(Watch(), found.epoch)
    assert read_history(tmp_path)["epoch"].tolist() == [1, 2]
    assert seen == [(0.1 / 13, 0.1 / 3), (0.2 / 13, 0.2 / 3)]
    folder.save(checkpoint(tiny_config, 3), record(3, 0.3))
    assert read_history(tmp_path)["total"].tolist() == [0.1, 0.2, 0.3]


def test_figures_keep_their_last_bit_through_every_rewriting(
    tmp_path: Path, tiny_config: Config
) -> None:
    values = np.random.default_rng(0).random(40) * 10.0 ** np.arange(-20, 20)
    folder = RunFolder(tmp_path)
    folder.begin(tiny_config, resume=False)
    for epoch, value in enumerate(values, start=1):
        folder.save(checkpoint(tiny_config, epoch), record(epoch, float(value)))
    history = read_history(tmp_path)
    assert history["total"].tolist() == values.tolist()
    assert history["branch1/id"].tolist() == (values / 7).tolist()
    assert history["lr"].tolist() == (values / 11).tolist()
    assert history["centroid/branch1"].tolist() == (values / 17).tolist()


def test_warnings_are_kept_and_their_absence_is_empty(tmp_path: Path, tiny_config: Config) -> None:
    folder = begun(tmp_path, tiny_config, epochs=2)
    assert read_history(tmp_path)["warnings"].tolist() == ["", ""]
    said = record(3, warnings=("Features shrink, badly.", 'They "collapse".'))
    folder.save(checkpoint(tiny_config, 3), said)
    assert read_history(tmp_path)["warnings"].tolist() == [
        "",
        "",
        'Features shrink, badly. They "collapse".',
    ]


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


def test_a_run_that_cannot_be_written_is_told(tiny_config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be written to .*file/run \(.*\); name a folder"):
        RunFolder(tmp_path / "file/run").begin(tiny_config, resume=False)


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
