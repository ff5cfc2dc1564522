"""A loss that is not finite stops the training, says where, and costs no finished epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mfa.cli import COMMANDS, run
from mfa.cli.train import parse
from mfa.config import Config
from mfa.errors import InputError
from mfa.losses import Criterion
from mfa.processes import ProcessGroup
from mfa.records import ReidDataset
from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint
from mfa.runs.history import read_history
from mfa.training.fit import fit
from mfa.training.loss_log import LossLog
from mfa.training.trainer import Trainer


def broken_after(monkeypatch: pytest.MonkeyPatch, steps: int, value: float) -> None:
    """The triplet term of the first branch has ``value`` once so many steps are done."""
    forward, calls = Criterion.forward, iter(range(10**6))

    def broken(self: Criterion, *given: Any) -> tuple[Tensor, dict[str, Tensor]]:
        loss, terms = forward(self, *given)
        if next(calls) < steps:
            return loss, terms
        return loss * value, terms | {"branch1/triplet": torch.tensor(value)}

    monkeypatch.setattr(Criterion, "forward", broken)


def test_a_step_reads_one_value_whatever_the_bar_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Tensor] = []
    item = Tensor.item
    monkeypatch.setattr(Tensor, "item", lambda self: read.append(self) or item(self))
    log = LossLog(1, ProcessGroup(), lambda indices: "")
    for _ in range(10):
        log.add({name: torch.tensor(1.0) for name in ("id", "triplet", "total")}, [0])
    assert len(read) == 9  # whether the step before was finite


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_stop_names_epoch_step_term_and_images_and_the_last_epoch_stays(
    tiny_config: Config,
    tiny_data: ReidDataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    value: float,
) -> None:
    batches = Trainer(tiny_config, tiny_data, torch.device("cpu")).batches
    first = batches.steps(1)
    second = [*batches.epoch(2)][1].indices  # the batch of epoch 2, step 2
    broken_after(monkeypatch, first + 1, value)
    with pytest.raises(InputError, match=f"epoch 2, step 2: branch1/triplet is {value}") as caught:
        list(fit(tiny_config, tiny_data, tmp_path, device="cpu", progress=False))
    for index in list(second)[:4]:
        assert batches.images.samples[index].path.name in caught.value.what
    assert "keeps epoch 1" in caught.value.fix
    kept = load_checkpoint(tmp_path / CHECKPOINT)
    assert kept.epoch == 1
    assert all(t.isfinite().all() for t in kept.tensors.values() if t.is_floating_point())
    assert read_history(tmp_path)["epoch"].tolist() == [1]


def test_weights_that_the_last_step_spoiled_cost_no_finished_epoch(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Trainer(tiny_config, tiny_data, torch.device("cpu")).batches
    last = batches.steps(1) + batches.steps(2) - 1
    forward, calls = Criterion.forward, iter(range(10**6))

    def steep(self: Criterion, *given: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """A finite loss whose gradient is infinite in the last step of the second epoch."""
        loss, terms = forward(self, *given)
        return (loss if next(calls) < last else (loss - loss.detach()).sqrt()), terms

    monkeypatch.setattr(Criterion, "forward", steep)
    with pytest.raises(InputError, match=r"epoch 2: after its last step .* and \d+ more"):
        list(fit(tiny_config, tiny_data, tmp_path, device="cpu", progress=False))
    kept = load_checkpoint(tmp_path / CHECKPOINT)
    assert kept.epoch == 1
    assert all(t.isfinite().all() for t in kept.part("model").values())


def test_the_command_ends_with_an_error_and_promises_no_score(
    tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "demo", "--optim.lr", "1000", "--optim.warmup-epochs", "0"]
    words += ["--model.width", "8", "--data.height", "64", "--data.width", "32", "--data.pids", "3"]
    words += ["--data.images", "2", "--data-root", str(tiny_root), "--run", str(tmp_path / "run")]
    assert run("mfa", COMMANDS, words) == 2
    said = capsys.readouterr()
    assert "the training stopped in epoch 1" in said.err
    assert "score it" not in said.out
    assert not (tmp_path / "run" / CHECKPOINT).exists()


def test_means_are_those_of_the_steps_and_every_process_stops() -> None:
    log = LossLog(1, ProcessGroup(), lambda indices: f"{len(indices)} images")
    for value in (1.0, 2.0, 6.0):
        log.add({"total": torch.tensor(value), "id": torch.tensor(2 * value)}, [1, 2])
    log.check()
    assert log.means() == {"total": 3.0, "id": 6.0}
    assert log.latest("id") == 12.0

    class Others(ProcessGroup):
        def anywhere(self, flag: Tensor) -> Tensor:
            return torch.tensor(True)

    log = LossLog(3, Others(), lambda indices: "a.jpg")
    log.add({"total": torch.tensor(1.0)}, [1])
    with pytest.raises(InputError, match="the loss of another process is not finite"):
        log.check()


def test_centers_stay_where_the_scaler_skips_a_step(
    tiny_config: Config, tiny_data: ReidDataset
) -> None:
    made = Trainer(tiny_config, tiny_data, torch.device("cpu"))
    made.state.scaler = torch.amp.GradScaler("cpu", init_scale=3e38)
    batch, centers = made.batches.first(), made.state.criterion.center.state_dict()
    before = {name: value.clone() for name, value in centers.items()}
    weights = {name: value.clone() for name, value in made.state.model.named_parameters()}
    made.step(batch, 1.0)  # the scaled gradients overflow
    assert all(torch.equal(before[name], centers[name]) for name in centers)
    for name, value in made.state.model.named_parameters():
        assert torch.equal(value, weights[name]), name
    made.state.scaler = torch.amp.GradScaler("cpu", init_scale=1.0)
    made.step(batch, 1.0)
    assert not all(torch.equal(before[name], centers[name]) for name in centers)


def test_the_remedy_is_an_option() -> None:
    assert parse(["demo", "--optim.no-amp"]).config.optim.amp is False
