"""Full disks and places that cannot be written: one sentence, status 2, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mfa.cli import COMMANDS, run
from mfa.cli.train import parse
from mfa.datasets import load_dataset
from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint
from mfa.training.batches import training_images
from mfa.training.fit import fit

resource = pytest.importorskip("resource", reason="limits of POSIX")

TINY = [
    *("demo", "--model.width", "8", "--model.branches", "2", "--optim.epochs", "2"),
    *("--data.height", "64", "--data.width", "32", "--data.pids", "3", "--data.images", "2"),
    *("--device", "cpu"),
]


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


def refused(capsys: pytest.CaptureFixture[str], words: str) -> None:
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, said.err
    assert words in lines[0]
    assert "Traceback" not in said.err
    assert "score it" not in said.out


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
