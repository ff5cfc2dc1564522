"""Two processes started as a user starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint
from mfa.runs.history import HISTORY, read_history

TRAIN = [
    *("train", "demo", "--model.width", "8", "--model.branches", "2", "--optim.epochs", "1"),
    *("--data.height", "64", "--data.width", "32", "--data.pids", "3", "--data.images", "2"),
    *("--device", "cpu"),
]


CPU = {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}

MEANS = """
from pathlib import Path

def means(pictures):
    with (Path(__file__).parent / "calls").open("a") as calls:
        calls.write(f"{len(pictures)}\\n")
    return pictures.mean(axis=(2, 3)) + 1
"""
"""A teacher that notes how many pictures it was asked about."""


def torchrun(*words: object, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "--", "mfa.cli", *map(str, words)]
    return subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=900
    )


@pytest.mark.slow
def test_two_processes_make_one_run_and_ask_a_teacher_once(draw: Any, tmp_path: Path) -> None:
    root, folder = draw(tmp_path / "data"), tmp_path / "run"
    (tmp_path / "made_teacher.py").write_text(MEANS)
    words = [*TRAIN, "--data-root", root, "--run", folder, "--teacher", "made_teacher:means"]
    places = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    done = torchrun(*words, **CPU, PYTHONPATH=places)
    assert done.returncode == 0, done.stderr
    # One of them asks the teacher, once about each of the 24 pictures; the other waits.
    assert (tmp_path / "calls").read_text() == "24\n"
    assert len([*(root / "cache").glob("teacher-*.npz")]) == 1
    assert done.stdout.count("epoch 1: ") == 1
    assert done.stdout.count("score it with") == 1
    assert {file.name for file in folder.iterdir()} == {CHECKPOINT, HISTORY, "config.json"}
    checkpoint = load_checkpoint(folder / CHECKPOINT)
    assert checkpoint.epoch == 1
    assert all(t.isfinite().all() for t in checkpoint.part("model").values())
    assert len(read_history(folder)) == 1


@pytest.mark.slow
def test_of_two_trainings_begun_at_once_in_one_folder_one_is_refused(
    tiny_root: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "mfa.cli", *TRAIN, "--data-root", str(tiny_root)]
    command += ["--run", str(folder)]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, env={**os.environ, **CPU}, **quiet) for _ in range(2)]
    said = [process.communicate(timeout=900)[1] for process in started]
    codes = [process.returncode for process in started]
    assert sorted(codes) == [0, 2], said
    refused = said[codes.index(2)]
    assert "another process trains in" in refused or "already holds a run" in refused
    assert read_history(folder)["epoch"].tolist() == [1]
    assert load_checkpoint(folder / CHECKPOINT).epoch == 1


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_each_process_has_a_gpu_of_its_own(tiny_root: Path, tmp_path: Path) -> None:
    words = [*TRAIN[:-2], "--device", "cuda", "--data-root", tiny_root, "--run", tmp_path / "run"]
    done = torchrun(*words)
    assert done.returncode == 0, done.stderr
