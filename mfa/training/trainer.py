"""One training step and one epoch; ``mfa.training.fit.fit`` is the loop around."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mfa.config import Config
from mfa.errors import InputError
from mfa.models.separation import SeparationMeter
from mfa.models.weights import fit_state, shortened, weights_stamp
from mfa.processes import ALONE, ProcessGroup
from mfa.progress import Progress, remark, reporting
from mfa.records import EpochRecord, Output, ReidDataset
from mfa.runs.checkpoint import Checkpoint
from mfa.runs.device import clock, compiled
from mfa.runs.run import Run
from mfa.training import schedule
from mfa.training.batches import Batch, TrainingBatches
from mfa.training.collapse import CollapseWatch
from mfa.training.distillation import Teacher
from mfa.training.loss_log import LossLog, remedy
from mfa.training.state import TrainingState
from mfa.training.whole_batch import whole_batch

METER_EVERY = 4
"""Steps between two measurements of separation: enough pictures an epoch, a quarter of the cost."""

_SHOWN = ("total", "id", "triplet", "center", "gla", "teacher")


class Trainer:
    """The batches and the state of a training, one epoch or one step at a time."""

    def __init__(
        self,
        config: Config,
        data: ReidDataset,
        device: torch.device,
        ranks: ProcessGroup = ALONE,
        cache: Path | None = None,
        teacher: Teacher | None = None,
        *,
        fresh: bool = True,
        compile: bool = False,
    ) -> None:
        """Prepare everything; ``fresh`` loads ``model.weights``, needless before a restore.

        ``compile`` has steps run the network translated by ``torch.compile``. The state keeps the
        network itself, so that names in checkpoints are as ever.
        """
        self.config, self.data, self.device = config, data, device
        self.ranks = ranks
        self.teacher, self.init = teacher, ""
        self.batches = TrainingBatches(config, data, device, self.ranks, cache, teacher)
        self.state = TrainingState(config, self.batches, device, pretrained=fresh)
        self.weights = weights_stamp(config.model) if fresh else ""
        network = self.ranks.wrap(self.state.model)
        self.network = compiled(network) if compile else network
        self.distillation = self.state.distillation and self.ranks.wrap(self.state.distillation)

    def run_epoch(self, epoch: int, *, progress: bool | Progress = False) -> EpochRecord:
        """Train one epoch, counted from 1.

        Raises:
            InputError: the loss is NaN or infinite (term, step and images are named), or the
                weights are after the last step.
        """
        state, steps = self.state, self.batches.steps(epoch)
        state.model.train()
        log, meter = LossLog(epoch, self.ranks, self._names), SeparationMeter()
        seen, rate, start = 0, 0.0, clock(self.device)

        def words() -> str:
            terms = [f"{name} {log.latest(name):.2f}" for name in _SHOWN if name in log.terms]
            return "  ".join([*terms, f"{seen / (clock(self.device) - start):.0f} img/s"])

        with reporting(progress, f"epoch {epoch}/{self.config.optim.epochs}", words) as report:
            for step, batch in enumerate(self.batches.epoch(epoch)):
                done = epoch - 1 + step / steps
                rate = schedule.learning_rate(self.config.optim, done)
                schedule.set_rate(state.optimizer, rate)
                output, terms = self.step(batch, done)
                log.add(terms, batch.indices)
                if step % METER_EVERY == 0:
                    meter.update(output)
                seen += len(batch.images)
                report((step + 1) / steps)
        log.check()
        self._check_weights(epoch)
        seconds = clock(self.device) - start
        losses, separation = log.means(), meter.result()
        norm = separation.pop("feature_norm")
        state.epoch = epoch
        return EpochRecord(
            epoch=epoch,
            losses=losses,
            lr=rate,
            images_per_second=seen * self.ranks.world / seconds,
            seconds=seconds,
            feature_norm=norm,
            separation=separation,
            warnings=state.watch.update(norm, losses["triplet"]),
        )

    def _check_weights(self, epoch: int) -> None:
        """Stop before the last step of an epoch has spoiled the checkpoint."""
        values = self.state.model.state_dict()
        finite = torch.stack([value.isfinite().all() for value in values.values()])
        if self.ranks.anywhere(~finite.all()).item():
            broken = [name for name, fine in zip(values, finite.tolist(), strict=True) if not fine]
            raise InputError(
                f"the training stopped in epoch {epoch}: after its last step these weights are NaN "
                f"or infinite: {shortened(broken) or 'weights of another process'}",
                remedy(epoch),
            )

    def step(self, batch: Batch, done: float) -> tuple[Output, dict[str, Tensor]]:
        """One update of the weights and the centers; the output and the detached losses.

        ``done`` counts epochs, with the fraction of the current one.
        """
        state = self.state
        with torch.autocast(self.device.type, dtype=state.half, enabled=state.half is not None):
            output: Output = self.network(batch.images, batch.cameras)
            own = state.model.extra_losses(output, batch.labels)
        seen, labels = whole_batch(output, batch.labels, self.ranks)
        shared, terms = state.criterion(seen, labels, done / self.config.optim.epochs)
        loss = torch.stack([shared, *(value.float() for value in own.values())]).sum()
        terms |= {name: value.detach() for name, value in own.items()}
        if self.distillation is not None:
            taught, more = self.distillation(output, batch.targets)
            loss = loss + taught
            terms |= more
        terms["total"] = loss.detach()
        state.optimizer.zero_grad(set_to_none=True)
        # Gradients are averaged over the processes, and here each has only that of its own rows.
        state.scaler.scale(loss + (self.ranks.world - 1) * shared).backward()
        scale = state.scaler.get_scale()
        state.scaler.step(state.optimizer)
        state.scaler.update()
        # The scale falls where the scaler skipped the step: then the centers stay as well.
        if state.scaler.get_scale() >= scale:
            state.criterion.update(seen, labels)
        return output, terms

    def time_steps(self, steps: int) -> float:
        """Median seconds of a step, data included, after a first one if there are more.

        The weights move, so the trainer is of no use afterwards.
        """
        self.state.model.train()
        seconds, start = [], clock(self.device)
        for batch in itertools.islice(self.batches.epoch(1), steps + 1):
            self.step(batch, 0.0)
            end = clock(self.device)
            seconds.append(end - start)
            start = end
        return statistics.median(seconds[1:] or seconds)

    @torch.no_grad()
    def start_norm(self) -> float:
        """Feature norm of the first batch before training, in train mode, statistics untouched."""
        model, batch = self.state.model, self.batches.first()
        buffers = {name: value.clone() for name, value in model.named_buffers()}
        meter = SeparationMeter()
        meter.update(model.train()(batch.images, batch.cameras))
        for name, value in model.named_buffers():
            value.copy_(buffers[name])
        return meter.result()["feature_norm"]

    def checkpoint(self) -> Checkpoint:
        """Everything needed to go on."""
        parts = self.state.state_dict()
        facts = {
            "dataset": self.data.name,
            "fingerprint": self.data.fingerprint,
            "training_pictures": len(self.batches.images),
            "cameras": list(self.batches.cameras),
            "left_out": [f"{s.path.name}: {why}" for s, why in self.batches.images.left_out],
            "torch": torch.__version__,
            "scaler": parts.pop("scaler"),
            "watch": parts.pop("watch"),
            "teacher": "" if self.teacher is None else self.teacher.file.name,
            "teacher_fingerprint": "" if self.teacher is None else self.teacher.fingerprint,
            "weights": self.weights,
            "init": self.init,
        }
        tensors = {f"{part}.{k}": v for part, state in parts.items() for k, v in state.items()}
        return Checkpoint(self.config, self.state.epoch, self.batches.identities, tensors, facts)

    def begin(self, init: Run | None = None) -> None:
        """Start, from the weights of ``init`` as far as names and shapes agree; print what did."""
        if init is not None:
            weights = init.checkpoint.part("model")
            words = fit_state(self.state.model, weights, where=init.name, core="trunk.")
            self.init = f"{init.name} ({init.hash}): {words}"
            if self.ranks.writes:
                remark(f"started from {self.init}")
        self.state.watch = CollapseWatch(self.start_norm())

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on where ``checkpoint`` stopped."""
        facts = checkpoint.facts
        if facts.get("fingerprint") != self.data.fingerprint:
            raise InputError(
                f"the run was trained on {facts.get('dataset')} with fingerprint "
                f"{facts.get('fingerprint')}, these data have {self.data.fingerprint}",
                "resume with the same data, or start another run",
            )
        teacher = self.teacher.fingerprint if self.teacher else ""
        if facts.get("teacher_fingerprint", "") != teacher:
            raise InputError(
                f"the run learned from {facts.get('teacher') or 'no teacher'}, now the teacher is "
                f"{self.teacher.file if self.teacher else 'none'}",
                "resume with the same teacher, or start another run",
            )
        names = ("model", "criterion", "optimizer", "distillation")
        state: dict[str, Any] = {name: checkpoint.part(name) for name in names}
        state |= {name: facts.get(name) for name in ("scaler", "watch")}
        self.state.load_state_dict(state)
        self.state.epoch = checkpoint.epoch
        self.init, self.weights = (facts.get(name, "") for name in ("init", "weights"))

    def _names(self, indices: Sequence[int]) -> str:
        """A batch in words."""
        names = [self.batches.images.samples[index].path.name for index in indices]
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        return ", ".join(names[:4]) + more
