"""Two processes started as a user starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint
from mfa.runs.history import HISTORY, read_history

TRAIN = [
    *("train", "demo", "--model.width", "8", "--model.branches", "2", "--optim.epochs", "1"),
    *("--data.height", "64", "--data.width", "32", "--data.pids", "3", "--data.images", "2"),
    *("--device", "cpu"),
]


def environment() -> dict[str, str]:
    return {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}


def torchrun(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "--", "mfa.cli", *map(str, words)]
    return subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=False, timeout=900
    )


@pytest.mark.slow
def test_two_processes_make_one_run_and_a_refusal_ends_both(
    tiny_root: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    words = [*TRAIN, "--data-root", tiny_root, "--run", folder]
    done = torchrun(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch 1: ") == 1
    assert done.stdout.count("score it with") == 1
    assert {file.name for file in folder.iterdir()} == {CHECKPOINT, HISTORY, "config.json"}
    checkpoint = load_checkpoint(folder / CHECKPOINT)
    assert checkpoint.epoch == 1
    assert all(t.isfinite().all() for t in checkpoint.part("model").values())
    assert len(read_history(folder)) == 1

    before = (folder / CHECKPOINT).read_bytes()
    again = torchrun(*words)
    assert again.returncode != 0
    assert "already holds a run" in again.stderr
    assert "score it" not in again.stdout
    assert (folder / CHECKPOINT).read_bytes() == before

    more = torchrun(*words, "--resume")
    assert more.returncode == 0, more.stderr
    assert (folder / CHECKPOINT).read_bytes() == before


@pytest.mark.slow
def test_of_two_trainings_begun_at_once_in_one_folder_one_is_refused(
    tiny_root: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "mfa.cli", *TRAIN, "--data-root", tiny_root, "--run", folder]
    command += ["--optim.epochs", "3"]
    for more in ([], ["--resume"]):
        started = [
            subprocess.Popen(
                [*map(str, command), *more],
                env=environment(),
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
            )
            for _ in range(2)
        ]
        said = [process.communicate(timeout=900)[1] for process in started]
        codes = [process.returncode for process in started]
        if sorted(codes) == [0, 0]:  # one had ended before the other began
            assert more
        else:
            assert sorted(codes) == [0, 2], said
            refused = said[codes.index(2)]
            assert "another process trains in" in refused or "already holds a run" in refused
        assert read_history(folder)["epoch"].tolist() == [1, 2, 3]
        assert load_checkpoint(folder / CHECKPOINT).epoch == 3


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_each_process_has_a_gpu_of_its_own(tiny_root: Path, tmp_path: Path) -> None:
    words = [*TRAIN[:-2], "--device", "cuda", "--data-root", tiny_root, "--run", tmp_path / "run"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "--", "mfa.cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
