"""The folder of a training: what is in it, who may write it, what of it survives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mfa.config import Config, derive
from mfa.errors import InputError
from mfa.records import EpochRecord
from mfa.runs import folder as module
from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint
from mfa.runs.folder import RunFolder
from mfa.runs.history import HISTORY, read_history
from mfa.runs.stored_config import from_json


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
    return {file.name for file in path.iterdir()} - {".lock"}  # there while the folder is held


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
    for name, value, words in (
        ("optim.lr", 0.5, r"optim\.lr was 0\.002, now 0\.5\); resume with"),
        ("model.cpaa", [2, 4], r"model\.cpaa was \[4\], now \[2, 4\]"),
        ("seed", 4, r"\(seed was 3, now 4\)"),
    ):
        with pytest.raises(InputError, match=words):
            folder.begin(derive(tiny_config, {name: value}), resume=True)
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
    assert read_history(tmp_path)["epoch"].tolist() == [1, 2]
    folder.save(checkpoint(tiny_config, 3), record(3, 0.3))
    assert read_history(tmp_path)["total"].tolist() == [0.1, 0.2, 0.3]


def test_figures_keep_their_last_bit_through_every_rewriting(
    tmp_path: Path, tiny_config: Config
) -> None:
    values = np.random.default_rng(0).random(20) * 10.0 ** np.arange(-20, 20, 2)
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
    kept = ["", "", 'Features shrink, badly. They "collapse".']
    assert read_history(tmp_path)["warnings"].tolist() == kept


def test_a_run_that_cannot_be_written_is_told(tiny_config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be written to .*file/run \(.*\); name a folder"):
        RunFolder(tmp_path / "file/run").begin(tiny_config, resume=False)


HOLD = """
import sys, time
from pathlib import Path
from mfa.config import Config, derive
from mfa.runs.folder import RunFolder
with RunFolder(Path(sys.argv[1])) as folder:
    folder.begin(Config(), resume=True)
    print("held", flush=True)
    time.sleep(600)
"""


def test_no_other_process_trains_in_the_folder_until_the_first_dies(
    tmp_path: Path, tiny_config: Config
) -> None:
    command = [sys.executable, "-c", HOLD, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        for resume in (False, True):
            with pytest.raises(InputError, match="another process trains in"):
                RunFolder(tmp_path).begin(tiny_config, resume=resume)
        holder.kill()
    with RunFolder(tmp_path) as folder:
        assert folder.begin(tiny_config, resume=False) is None
        assert (tmp_path / ".lock").exists()
    assert not (tmp_path / ".lock").exists()


def test_a_second_training_of_one_process_takes_over_and_the_first_cannot_save(
    tmp_path: Path, tiny_config: Config
) -> None:
    first = begun(tmp_path, tiny_config)
    with RunFolder(tmp_path) as second:
        assert second.begin(tiny_config, resume=True) is not None
        with pytest.raises(InputError, match="another training of this process took"):
            first.save(checkpoint(tiny_config, 2), record(2))
        second.save(checkpoint(tiny_config, 2), record(2))
    assert read_history(tmp_path)["epoch"].tolist() == [1, 2]


def test_leftovers_of_killed_trainings_go(tmp_path: Path, tiny_config: Config) -> None:
    with RunFolder(tmp_path) as folder:
        folder.begin(tiny_config, resume=False)
        folder.save(checkpoint(tiny_config, 1), record(1))
    for name in (".checkpoint.other-host-17-0.part.safetensors", ".history.csv.99.part"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    with RunFolder(tmp_path) as folder:
        folder.begin(tiny_config, resume=True)
    assert files(tmp_path) == {CHECKPOINT, HISTORY, "config.json", "notes.txt"}


@pytest.mark.parametrize("lost", ["", None, "epoch,total,warnings\n"])
def test_a_good_checkpoint_without_its_history_resumes(
    tmp_path: Path, tiny_config: Config, lost: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(tmp_path, tiny_config, epochs=2)
    (tmp_path / HISTORY).unlink()
    if lost is not None:
        (tmp_path / HISTORY).write_text(lost)
    with RunFolder(tmp_path) as folder:
        found = folder.begin(tiny_config, resume=True)
        assert found is not None
        assert found.epoch == 2
        assert "lost 2 epochs" in capsys.readouterr().err
        folder.save(checkpoint(tiny_config, 3), record(3, 0.3))
    assert read_history(tmp_path)[["epoch", "total"]].to_numpy().tolist() == [[3, 0.3]]


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_a_full_disk_keeps_the_last_epoch(tmp_path: Path, tiny_config: Config) -> None:
    import resource

    folder = begun(tmp_path, tiny_config)
    before = (tmp_path / CHECKPOINT).read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = replace(checkpoint(tiny_config, 2), tensors={"model.weight": torch.zeros(2**18)})
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**17, old[1]))  # the system refuses larger files
    try:
        with pytest.raises(InputError, match=r"checkpoint\.safetensors cannot be written"):
            folder.save(large, record(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert files(tmp_path) == {CHECKPOINT, HISTORY, "config.json"}
    found = folder.begin(tiny_config, resume=True)
    assert found is not None
    assert found.epoch == 1
    assert read_history(tmp_path)["epoch"].tolist() == [1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"epoch,total\n1,\xff\xfe\n", "is no CSV text in UTF-8"),
        (b"epoch,total\n1,much\n", "line 2 is no line of figures"),
        (b"epoch,total\n1,0.5,7\n", "line 2 is no line of figures"),
        (b"epoch,total\n1\n", "line 2 is no line of figures"),
        (b"total\n0.5\n", "line 2 is no line of figures"),
        (b"epoch,total\n1e400,1\n", "line 2: 1e400 is no epoch"),
        (b"epoch,total\n-1,1\n", "line 2: -1 is no epoch"),
        (b"epoch,total\n" + b"1" * 400 + b",1\n", "is no epoch"),
    ],
)
def test_a_damaged_history_is_named_and_left_alone(
    tmp_path: Path, tiny_config: Config, content: bytes, words: str
) -> None:
    begun(tmp_path, tiny_config)
    (tmp_path / HISTORY).write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_history(tmp_path)
    with pytest.raises(InputError, match=words):
        RunFolder(tmp_path).begin(tiny_config, resume=True)
    assert (tmp_path / HISTORY).read_bytes() == content
