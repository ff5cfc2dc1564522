"""Two processes started as a user starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mfa.config import Config, derive
from mfa.datasets import load_dataset
from mfa.datasets.loading.augment import to_unit
from mfa.inference.evaluate import extract_features
from mfa.records import Output, ReidDataset
from mfa.retrieval import metrics
from mfa.retrieval.results import RetrievalResult
from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint, save_checkpoint
from mfa.runs.history import HISTORY, read_history
from mfa.runs.run import open_run
from mfa.training.trainer import Trainer

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

JOB = """
import os, signal, sys
from pathlib import Path

import torch

from mfa.cli import COMMANDS, run
from mfa.inference import extract, parts
from mfa.retrieval import distances

torch.set_num_threads(1)
parts.PART = distances.BLOCK = 2  # so that there is something to share


def one_step(root, start, out):
    from mfa.datasets import load_dataset
    from mfa.datasets.loading.augment import to_unit
    from mfa.processes import joined
    from mfa.runs.checkpoint import load_checkpoint
    from mfa.training.batches import Batch
    from mfa.training.trainer import Trainer

    data, config = load_dataset("synthetic", root), load_checkpoint(start).config
    with joined("cpu") as ranks:
        trainer = Trainer(config, data, torch.device("cpu"), ranks)
        indices = next(iter(trainer.batches.sampler))
        images = to_unit(trainer.batches.images.batch(indices))
        batch = Batch(indices, images, trainer.batches.labels[indices])
        _, terms = trainer.step(batch, 1.0)
        model = trainer.state.model
        kept = {
            "batches": list(trainer.batches.sampler),
            "terms": terms,
            "weights": dict(model.named_parameters()),
            "gradients": {name: p.grad for name, p in model.named_parameters()},
            "centers": trainer.state.criterion.state_dict(),
        }
        torch.save(kept, out / f"rank{ranks.rank}.pt")


def make_until_killed(make, count, folder, ranks, progress):
    def or_die(rows, within):
        if ranks.rank == 1 and rows.start >= 6:
            os.kill(os.getpid(), signal.SIGKILL)
        return make(rows, within)

    parts.make_parts(or_die, count, folder, ranks, progress)


words = sys.argv[1:]
if words[0] != "evaluate":
    root, out, *train = words
    one_step(Path(root), Path(out) / "start", Path(out))
    assert run("mfa", COMMANDS, train) == 0
    assert run("mfa", COMMANDS, train) == 2  # all are refused what the first one is refused
    extract.make_parts = make_until_killed
    words = ["evaluate", train[-1], "--data-root", root, "--device", "cpu"]
sys.exit(run("mfa", COMMANDS, words))
"""


def torchrun(job: Sequence[object], **env: str) -> subprocess.CompletedProcess[str]:
    words = ["--standalone", "--nproc-per-node", "2", *job]
    command = [sys.executable, "-m", "torch.distributed.run", *map(str, words)]
    return subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=300
    )


def in_one(
    config: Config, data: ReidDataset, batches: list[list[int]]
) -> tuple[Trainer, dict[str, Tensor]]:
    """One process with the batches of all: its gradients and centers after a step, and the losses.

    BatchNorm alone sees each batch by itself, as the processes do.
    """
    alone = Trainer(config, data, torch.device("cpu"))
    model, criterion = alone.state.model.train(), alone.state.criterion
    outputs = [model(to_unit(alone.batches.images.batch(indices))) for indices in batches]
    branches = {
        name: replace(
            branch,
            **{
                field: torch.cat([getattr(output.branches[name], field) for output in outputs])
                for field in ("pooled", "logits", "guide")
                if getattr(branch, field) is not None
            },
        )
        for name, branch in outputs[0].branches.items()
    }
    whole: Output = replace(outputs[0], branches=branches)
    labels = alone.batches.labels[[index for indices in batches for index in indices]]
    loss, terms = criterion(whole, labels, 1.0 / config.optim.epochs)
    loss.backward()
    criterion.update(whole, labels)
    return alone, terms


def near(found: Tensor, expected: Tensor, name: str) -> None:
    """Equal to 1e-5 of the largest value."""
    scale = float(expected.abs().max())
    torch.testing.assert_close(
        found, expected, rtol=1e-5, atol=1e-5 * scale + 1e-9, msg=lambda text: f"{name}: {text}"
    )


@pytest.mark.slow
def test_two_processes_train_score_and_go_on_after_one_was_killed(
    draw: Any, tiny_config: Config, tiny_run: Path, tmp_path: Path
) -> None:
    root, folder = draw(tmp_path / "data"), tmp_path / "run"
    config = derive(tiny_config, {"optim.epochs": 1})
    save_checkpoint(
        replace(load_checkpoint(tiny_run / CHECKPOINT), config=config), tmp_path / "start"
    )
    (tmp_path / "made_teacher.py").write_text(MEANS)
    (tmp_path / "job.py").write_text(JOB)
    places = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    train = [*TRAIN, "--data-root", root, "--teacher", "made_teacher:means", "--run", folder]
    job = tmp_path / "job.py"
    killed = torchrun(["--", job, root, tmp_path, *train], **CPU, PYTHONPATH=places)
    data = load_dataset("synthetic", root)
    as_one_process_with_the_whole_batch(config, data, tmp_path)
    one_run_with_a_teacher_asked_once(killed, tmp_path)

    # The second was killed in the scoring; the first says so, and what was made is there.
    assert killed.returncode == 1
    assert "error: process 0 of 2 stopped, because another process of this job" in killed.stderr
    made = next((folder / "features").glob("*.parts"))
    assert {file.name for file in (made / "query").iterdir()} == {"0-2-of-4.npy", "2-4-of-4.npy"}
    part = made / "gallery/2-4-of-14.npy"
    np.save(part, np.load(part) * 2)  # to see that it is read, and not made again
    score = ["evaluate", folder, "--data-root", root, "--device", "cpu"]
    done = torchrun(["--", job, *score], **CPU)
    assert done.returncode == 0, done.stderr
    assert not made.exists()
    assert done.stdout.count("on synthetic: ") == 1

    run = open_run(folder, device="cpu")
    kept = extract_features(run, data)
    alone = extract_features(replace(run, path=None), data)
    alone.gallery.features[2:4] *= 2
    np.testing.assert_allclose(kept.query.features, alone.query.features, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(kept.gallery.features, alone.gallery.features, rtol=1e-5, atol=1e-5)
    shared = RetrievalResult.load(folder / "results/synthetic.json")
    np.testing.assert_allclose(shared.per_query["AP"], metrics.score(kept).per_query["AP"])


def as_one_process_with_the_whole_batch(config: Config, data: ReidDataset, out: Path) -> None:
    first, second = (torch.load(out / f"rank{rank}.pt") for rank in range(2))
    # Each keeps P x K, of other people than the other.
    labels = {i: sample.pid for i, sample in enumerate(data.train)}
    for mine, others in zip(first["batches"], second["batches"], strict=True):
        people = [{labels[i] for i in batch} for batch in (mine, others)]
        assert [len(p) for p in people] == [3, 3]
        assert [len(mine), len(others)] == [6, 6]
        assert not people[0] & people[1]
    alone, terms = in_one(config, data, [first["batches"][0], second["batches"][0]])
    for name, value in terms.items():
        near(first["terms"][name], value, name)
        assert torch.equal(first["terms"][name], second["terms"][name])
    for name, parameter in alone.state.model.named_parameters():
        assert parameter.grad is not None
        assert torch.equal(first["weights"][name], second["weights"][name]), name
        assert torch.equal(first["gradients"][name], second["gradients"][name]), name
        near(first["gradients"][name], parameter.grad, name)
    for name, value in alone.state.criterion.state_dict().items():
        near(first["centers"][name], value, name)
        assert torch.equal(first["centers"][name], second["centers"][name]), name


def one_run_with_a_teacher_asked_once(done: subprocess.CompletedProcess[str], folder: Path) -> None:
    # One of them asks the teacher, once about each of the 24 pictures; the other waits.
    assert (folder / "calls").read_text() == "24\n", done.stderr
    assert len([*(folder / "data/cache").glob("teacher-*.npz")]) == 1
    assert done.stdout.count("epoch 1: ") == 1
    assert done.stdout.count("score it with") == 1
    assert done.stderr.count("already holds a run") == 2
    run = folder / "run"
    assert {file.name for file in run.iterdir()} == {CHECKPOINT, HISTORY, "config.json", "features"}
    checkpoint: Checkpoint = load_checkpoint(run / CHECKPOINT)
    assert checkpoint.epoch == 1
    assert all(t.isfinite().all() for t in checkpoint.part("model").values())
    assert len(read_history(run)) == 1


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_each_process_has_a_gpu_of_its_own(tiny_root: Path, tmp_path: Path) -> None:
    words = [*TRAIN[:-2], "--device", "cuda", "--data-root", tiny_root, "--run", tmp_path / "run"]
    done = torchrun(["-m", "--", "mfa.cli", *words])
    assert done.returncode == 0, done.stderr
