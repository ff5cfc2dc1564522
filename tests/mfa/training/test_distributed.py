from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mfa.config import Config, derive
from mfa.datasets.loading.augment import to_unit
from mfa.losses.center import CenterLoss
from mfa.records import ReidDataset
from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint, save_checkpoint
from mfa.runs.history import HISTORY, read_history
from mfa.training.distributed import ProcessGroup, joined
from mfa.training.trainer import Trainer

WORLD = 2

ONE_STEP_THEN_FIT_TWICE = """
import sys
from pathlib import Path

import torch

from mfa.runs.checkpoint import load_checkpoint
from mfa.datasets import load_dataset
from mfa.datasets.loading.augment import to_unit
from mfa.errors import InputError
from mfa.training.batches import Batch
from mfa.training.distributed import joined
from mfa.training.fit import fit
from mfa.training.trainer import Trainer

torch.set_num_threads(1)
root, start, out = map(Path, sys.argv[1:])
data, config = load_dataset("synthetic", root), load_checkpoint(start).config
with joined(torch.device("cpu")) as ranks:
    trainer = Trainer(config, data, torch.device("cpu"), ranks)
    indices = next(iter(trainer.batches.sampler))
    images = to_unit(trainer.batches.images.batch(indices))
    trainer.step(Batch(indices, images, trainer.batches.labels[indices]), 1.0)
    model = trainer.state.model
    torch.save(
        {
            "indices": indices,
            "batches": list(trainer.batches.sampler),
            "weights": dict(model.named_parameters()),
            "gradients": {name: p.grad for name, p in model.named_parameters()},
            "centers": trainer.state.criterion.state_dict(),
        },
        out / f"rank{ranks.rank}.pt",
    )
    records = list(fit(config, data, out / "run", device="cpu"))
    try:
        next(fit(config, data, out / "run", device="cpu"))
    except InputError as error:
        (out / f"refused{ranks.rank}").write_text(error.what)
assert not torch.distributed.is_initialized()
"""


def test_alone_without_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    model = nn.Linear(2, 2)
    with joined(torch.device("cpu")) as ranks:
        assert ranks == ProcessGroup(rank=0, world=1)
        assert ranks.writes
        assert ranks.wrap(model) is model
        assert ranks.from_first(lambda: 3) == 3
    assert not ProcessGroup(rank=1, world=2).writes


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def in_processes(script: str, *arguments: Path) -> None:
    """Run ``script`` as ``torchrun`` would, once for each rank."""
    common = {
        **os.environ,
        "WORLD_SIZE": str(WORLD),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = [sys.executable, "-c", script, *map(str, arguments)]
    ranks = [{"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(WORLD)]
    started = [
        subprocess.Popen(command, env={**common, **rank}, stderr=subprocess.PIPE, text=True)
        for rank in ranks
    ]
    try:
        for process in started:
            _, said = process.communicate(timeout=600)
            assert process.returncode == 0, said
    finally:
        for process in started:
            process.kill()


def averaged(
    config: Config, data: ReidDataset, batches: list[list[int]]
) -> tuple[dict[str, Tensor], CenterLoss]:
    """Gradients of each batch alone, averaged; and the centers after all of them at once."""
    gradients: dict[str, Tensor] = {}
    pooled: dict[str, list[Tensor]] = {}
    labels = []
    for indices in batches:
        alone = Trainer(config, data, torch.device("cpu"))
        state, batches_of = alone.state, alone.batches
        output = state.model.train()(to_unit(batches_of.images.batch(indices)))
        loss, _ = state.criterion(output, batches_of.labels[indices], 1.0 / config.optim.epochs)
        loss.backward()
        for name, parameter in state.model.named_parameters():
            assert parameter.grad is not None
            gradients[name] = gradients.get(name, 0) + parameter.grad / len(batches)
        for name, branch in output.branches.items():
            pooled.setdefault(name, []).append(branch.pooled.detach())
        labels.append(batches_of.labels[indices])
    centers = CenterLoss(batches_of.identities, state.model.widths, config.loss.center_rate)
    for name, parts in pooled.items():
        centers.update(name, torch.cat(parts), torch.cat(labels))
    return gradients, centers


@pytest.mark.slow
def test_two_processes_train_as_one_with_averaged_gradients(
    tiny_config: Config, tiny_data: ReidDataset, tiny_root: Path, tiny_run: Path, tmp_path: Path
) -> None:
    config = derive(tiny_config, {"optim.epochs": 1})
    start = replace(load_checkpoint(tiny_run / CHECKPOINT), config=config)
    save_checkpoint(start, tmp_path / "start")
    in_processes(ONE_STEP_THEN_FIT_TWICE, tiny_root, tmp_path / "start", tmp_path)
    first, second = (torch.load(tmp_path / f"rank{rank}.pt") for rank in range(WORLD))

    # Each keeps P x K, of other people than the other.
    labels = {i: sample.pid for i, sample in enumerate(tiny_data.train)}
    for mine, others in zip(first["batches"], second["batches"], strict=True):
        people = [{labels[i] for i in batch} for batch in (mine, others)]
        assert [len(p) for p in people] == [3, 3]
        assert [len(mine), len(others)] == [6, 6]
        assert not people[0] & people[1]

    gradients, centers = averaged(config, tiny_data, [first["indices"], second["indices"]])
    assert gradients.keys() == first["gradients"].keys()
    for name, expected in gradients.items():
        assert torch.equal(first["weights"][name], second["weights"][name]), name
        assert torch.equal(first["gradients"][name], second["gradients"][name]), name
        scale = expected.abs().max().item()
        torch.testing.assert_close(
            first["gradients"][name], expected, rtol=1e-3, atol=1e-4 * scale + 1e-7
        )
    for name, value in centers.state_dict().items():
        mine, other = (each["centers"][f"center.{name}"] for each in (first, second))
        torch.testing.assert_close(mine, value)
        assert torch.equal(mine, other)

    # One of them writes the run, and it is a run like any other.
    files = {file.name for file in (tmp_path / "run").iterdir()}
    assert files == {CHECKPOINT, HISTORY, "config.json"}
    assert load_checkpoint(tmp_path / "run" / CHECKPOINT).epoch == 1
    assert len(read_history(tmp_path / "run")) == 1
    for rank in range(WORLD):  # a refusal of the one that writes ends all
        assert "already holds a run" in (tmp_path / f"refused{rank}").read_text()
