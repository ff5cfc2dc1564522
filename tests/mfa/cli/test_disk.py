"""Full disks and places that cannot be written: one sentence, status 2, and nothing lost.

A run folder that was renamed or copied, and a dataset that was moved or changed, are met as such.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision.models import resnet18

from benchmarks.made import made_features
from mfa.cli import COMMANDS, run
from mfa.cli.train import parse
from mfa.datasets import load_dataset
from mfa.export.files import trace
from mfa.retrieval import feature_file
from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint
from mfa.training.batches import training_images
from mfa.training.fit import fit
from viz.cli import COMMANDS as VIZ

resource = pytest.importorskip("resource", reason="limits of POSIX")

TINY = [
    *("demo", "--model.width", "8", "--model.branches", "2", "--optim.epochs", "2"),
    *("--data.height", "64", "--data.width", "32", "--data.pids", "3", "--data.images", "2"),
    *("--device", "cpu"),
]
SET = ["model.width=8", "data.height=64", "data.width=32", "data.pids=3", "data.images=2"]


def mfa(*argv: object) -> int:
    return run("mfa", COMMANDS, [str(word) for word in argv])


@contextmanager
def full_at(size: int) -> Iterator[None]:
    """The system refuses to let a file grow beyond ``size`` bytes, as a full disk does."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


class Disk:
    """A small file system of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def fill(self) -> None:
        """Write until nothing fits any more."""
        with (self.place / "filler").open("wb", buffering=0) as file:
            for piece in (2**16, 1):
                with suppress(OSError):
                    while True:
                        file.write(bytes(piece))

    def empty(self) -> None:
        (self.place / "filler").unlink()

    def lock(self, mode: str) -> None:
        """Remount: ``ro`` or ``rw``."""
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.place)], check=True)


@pytest.fixture
def disk(tmp_path: Path, tiny_run: Path) -> Iterator[Disk]:
    """64 MiB in memory that hold a trained run and its features."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a file system")
    try:
        shutil.copytree(tiny_run, place / "run")
        yield Disk(place)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def refused(capsys: pytest.CaptureFixture[str], words: str) -> None:
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, said.err
    assert words in lines[0]
    assert "Traceback" not in said.err
    assert "score it" not in said.out
    assert "rows in" not in said.err


def files(place: Path) -> dict[str, bytes]:
    """Everything that lies there, but for what stands in for the other files of a full disk."""
    found = {str(p.relative_to(place)): p for p in place.rglob("*") if p.is_file()}
    return {
        name: path.read_bytes()
        for name, path in found.items()
        if name != "filler" and path.suffix != ".lock"
    }


COMMAND_LINES = {
    "train": ["train", *TINY, "--data-root", "{root}", "--run", "{disk}/new"],
    "resume": ["train", *TINY, "--data-root", "{root}", "--run", "{disk}/begun", "--resume"],
    "export": ["export", "{run}", "{disk}/small.safetensors"],
    "export .pt2": ["export", "{run}", "{disk}/small.pt2"],
    "evaluate": ["evaluate", "{disk}/run", "--data-root", "{root}"],
    "evaluate FILE": ["evaluate", "{features}", "--output", "{disk}/r.json"],
    "ranking": ["evaluate", "{features}", "--ranking", "{disk}/list.csv", "--top", "3"],
    "compare": ["compare", "{features}", "{features}", "--output", "{disk}/table.csv"],
    "ablate": [
        *("ablate", "default", "--data-root", "{root}", "--out", "{disk}/rows", "--epochs", "1"),
        *("--device", "cpu", "--set", *SET),
    ],
    "import-weights": ["import-weights", "{weights}", "--from", "torchvision", "--run", "{disk}/w"],
    "data make": [
        *("data", "make", "synthetic", "--data-root", "{disk}/drawn", "--train-ids", "3"),
        *("--test-ids", "3", "--distractors", "0", "--junk", "0"),
    ],
    "data folder": ["data", "folder", "{disk}/pictures", "--pattern", "market"],
    "cache": ["evaluate", "{run}", "--data-root", "{root}", "--cache", "{disk}/cache"],
    "mfa-viz grid": ["grid", "{run}", "--data-root", "{root}", "--out", "{disk}/g", "--count", "1"],
    "mfa-viz charts": [
        *("charts", "{run}", "--data-root", "{root}", "--out", "{disk}/charts", "--only", "cmc"),
    ],
}
"""A command line that writes to the disk, for every command that writes."""


PROGRAMS: list[Any] = []


def traced_once(*given: Any) -> Any:
    """Tracing is slow, and the network is the same each time."""
    if not PROGRAMS:
        PROGRAMS.append(trace(*given))
    return PROGRAMS[0]


@pytest.mark.parametrize("state", ["full", "read-only"])
@pytest.mark.parametrize("name", COMMAND_LINES)
def test_a_full_or_locked_disk_is_one_sentence_and_costs_nothing(
    name: str,
    state: str,
    disk: Disk,
    tiny_root: Path,
    tiny_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MFA_CACHE", "off")
    monkeypatch.setattr("mfa.datasets.disk.SPARE", 0)
    monkeypatch.setattr("mfa.export.files.trace", traced_once)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    shutil.copytree(tiny_run, tmp_path / "run")
    shutil.copytree(tiny_root / "synthetic/bounding_box_train", disk.place / "pictures")
    made = made_features(
        queries=6, gallery=12, people=3, distractors=0, cameras=2, width=6, noise=1.0
    )
    feature_file.write(tmp_path / "f.npz", made)
    if name == "resume":
        config = parse([*TINY, "--data-root", str(tiny_root)]).config
        next(fit(config, load_dataset("synthetic", tiny_root), disk.place / "begun", device="cpu"))
    if name == "import-weights":
        torch.save(resnet18(weights=None).state_dict(), tmp_path / "w.pth")
    places = {"disk": disk.place, "root": tiny_root, "run": tmp_path / "run"}
    places |= {"features": tmp_path / "f.npz", "weights": tmp_path / "w.pth"}
    argv = [word.format(**places) for word in COMMAND_LINES[name]]
    program, commands = ("mfa-viz", VIZ) if name.startswith("mfa-viz") else ("mfa", COMMANDS)
    before = files(disk.place)
    if state == "full":
        disk.fill()
    else:
        disk.lock("ro")
    status = run(program, commands, argv)
    assert files(disk.place) == before
    assert status == 2, capsys.readouterr()
    refused(capsys, str(disk.place))
    if state == "full":
        disk.empty()
    else:
        disk.lock("rw")
    assert run(program, commands, argv) == 0, capsys.readouterr()
    after = files(disk.place)
    assert after.keys() >= before.keys()
    assert after != before
    assert not [file for file in after if ".part" in file]


def test_a_run_folder_may_be_renamed_and_copied_and_its_data_moved(
    tiny_root: Path, tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = []
    shutil.copytree(tiny_root, tmp_path / "moved")
    shutil.copytree(tiny_run, tmp_path / "copied")
    for folder, root in (("copied", tiny_root), ("copied", tmp_path / "moved")):
        assert mfa("evaluate", tmp_path / folder, "--data-root", root, "--json") == 0
        scores.append(json.loads(capsys.readouterr().out))
    features = [path.stat().st_mtime_ns for path in (tmp_path / "copied/features").iterdir()]
    (tmp_path / "copied").rename(tmp_path / "renamed")
    assert mfa("evaluate", tmp_path / "renamed", "--data-root", tmp_path / "moved", "--json") == 0
    scores.append(json.loads(capsys.readouterr().out))
    assert scores[2]["run"] == "renamed"
    assert len({score["mAP"] for score in scores}) == 1
    kept = [path.stat().st_mtime_ns for path in (tmp_path / "renamed/features").iterdir()]
    assert kept == features  # of one dataset, wherever it lies
    assert scores[0]["card"]["doubts"] == []
    with pytest.raises(SystemExit):
        mfa("evaluate", tmp_path / "copied", "--help")
    assert mfa("evaluate", tmp_path / "copied", "--data-root", tiny_root) == 2


def test_a_dataset_that_changed_since_the_training_is_named(
    draw: Callable[..., Path],
    tiny_run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = draw(tmp_path / "data")
    shutil.copytree(tiny_run, tmp_path / "run")
    (root / "synthetic/query/0011_c1s1_000001_00.jpg").unlink()
    assert mfa("evaluate", tmp_path / "run", "--data-root", root) == 0
    said = capsys.readouterr().err
    assert "this synthetic is not the one that run was trained on" in said
    shutil.rmtree(root / "synthetic")
    assert mfa("evaluate", tmp_path / "run", "--data-root", root) == 2
    refused(capsys, str(root))


def test_training_on_a_full_disk_keeps_what_is_finished(
    tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    argv = ["train", *TINY, "--data-root", tiny_root, "--run", folder]
    config = parse([str(word) for word in argv[1:]]).config
    data = load_dataset("synthetic", tiny_root)
    training_images(config, data, None)  # fills the cache
    with full_at(2**14):
        assert mfa(*argv) == 2
    refused(capsys, "checkpoint.safetensors cannot be written")
    assert not (folder / CHECKPOINT).exists()

    next(fit(config, data, folder, device="cpu", progress=False))
    before = (folder / CHECKPOINT).read_bytes()
    with full_at(2**14):
        assert mfa(*argv, "--resume") == 2
    refused(capsys, "checkpoint.safetensors cannot be written")
    assert (folder / CHECKPOINT).read_bytes() == before
    assert mfa(*argv, "--resume") == 0
    assert load_checkpoint(folder / CHECKPOINT).epoch == 2
    assert {path.name for path in folder.iterdir()} == {CHECKPOINT, "history.csv", "config.json"}


def test_export_to_a_full_disk_leaves_no_half_file(
    tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "small.safetensors"
    with full_at(2**14):
        assert mfa("export", tiny_run, file) == 2
    refused(capsys, "small.safetensors cannot be written")
    assert list(tmp_path.iterdir()) == []
    assert mfa("export", tiny_run, file) == 0


def test_places_that_cannot_be_written_are_named(
    tiny_root: Path, tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file/run", Path("/proc/none/run")):
        assert mfa("train", *TINY, "--data-root", tiny_root, "--run", place) == 2
        refused(capsys, str(place))
        assert mfa("export", tiny_run, place / "x.safetensors") == 2
        refused(capsys, str(place))
