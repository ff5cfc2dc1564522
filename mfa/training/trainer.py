"""The parts of a training run, and one step of it; ``mfa.training.fit.fit`` is the loop around."""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from mfa.config import Config
from mfa.datasets.loading.augment import augment, to_unit
from mfa.datasets.loading.cache import cache_folder
from mfa.datasets.loading.images import LoadedImages, batches, load_images
from mfa.datasets.loading.sampler import make_sampler
from mfa.errors import InputError
from mfa.losses import Criterion
from mfa.losses.distillation import Distillation
from mfa.models import build_model
from mfa.models.separation import SeparationMeter
from mfa.models.weights import fit_state
from mfa.records import EpochRecord, Output, ReidDataset
from mfa.runs.checkpoint import Checkpoint, optimizer_tensors, restore_optimizer
from mfa.runs.run import Run
from mfa.runs.side_information import cameras_to_learn
from mfa.training import distributed, schedule
from mfa.training.collapse import CollapseWatch
from mfa.training.teacher import Teacher

METER_EVERY = 4
"""Steps between two measurements of separation: enough pictures an epoch, a quarter of the cost."""


class Trainer:
    """The parts of a run and one step of it."""

    def __init__(
        self,
        config: Config,
        data: ReidDataset,
        device: torch.device,
        ranks: distributed.ProcessGroup,
        cache: Path | None,
        teacher: Teacher | None = None,
        *,
        fresh: bool = True,
    ) -> None:
        """Prepare everything; ``fresh`` loads ``model.weights``, needless before a restore."""
        self.config, self.data, self.device, self.ranks = config, data, device, ranks
        self.epoch, self.init = 0, ""
        self.pictures = training_pictures(config, data, cache)
        pids = sorted({sample.pid for sample in self.pictures.samples})
        label_of = {pid: label for label, pid in enumerate(pids)}
        self.labels = torch.tensor([label_of[sample.pid] for sample in self.pictures.samples])
        self.cameras = cameras_to_learn(config.model, self.pictures.samples)
        camids = torch.tensor([sample.camid for sample in self.pictures.samples])
        self.camids = camids if self.cameras else None
        self.sampler = make_sampler(
            self.labels.tolist(),
            config.data,
            seed=config.seed,
            rank=ranks.rank,
            world=ranks.world,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = build_model(
                config.model, len(pids), cameras=self.cameras, pretrained=fresh
            )
        # Channels-last convolutions are a fifth to a half faster on CPUs, and on GPUs with AMP.
        self.model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.identities = len(pids)
        self.network = distributed.wrap(self.model, ranks)
        self.criterion = Criterion(config.loss, len(pids), self.model.widths).to(device)
        self.teacher = teacher
        self.targets = None if teacher is None else teacher.targets(self.pictures.samples)
        self.distillation = self._make_distillation()
        self.lesson = self.distillation and distributed.wrap(self.distillation, ranks)
        learned = [part for part in (self.model, self.distillation) if part is not None]
        schedule.freeze(self.model, config.optim.frozen)
        self.optimizer = schedule.make_optimizer(
            nn.ModuleList(learned), config.optim, trunk="0.trunk."
        )
        self.half = schedule.half_precision(config.optim, device)
        self.scaler = schedule.make_scaler(enabled=self.half is torch.float16)

    def run_epoch(self, epoch: int, watch: CollapseWatch, *, progress: bool) -> EpochRecord:
        """Train one epoch, counted from 1."""
        self.model.train()
        self.sampler.set_epoch(epoch)
        loader = batches(self.pictures, self.sampler, self.config.data.workers)
        sums: defaultdict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=self.device))
        meter, seen, steps, start, rate = SeparationMeter(), 0, len(self.sampler), time.time(), 0.0
        bar = tqdm(loader, f"epoch {epoch}/{self.config.optim.epochs}", disable=not progress)
        for step, (indices, pixels) in enumerate(bar):
            done = epoch - 1 + step / steps
            rate = schedule.learning_rate(self.config.optim, done)
            schedule.set_rate(self.optimizer, rate)
            images = self._images(pixels, epoch, step)
            targets, cameras = (self._of(v, indices) for v in (self.targets, self.camids))
            labels = self.labels[indices].to(self.device)
            output, terms = self.step(images, labels, done, targets, cameras)
            for name, value in terms.items():
                sums[name] += value
            if step % METER_EVERY == 0:
                meter.update(output)
            seen += len(images)
            if progress:
                bar.set_postfix_str(_line(terms, seen / (time.time() - start)), refresh=False)
        self.epoch, seconds = epoch, time.time() - start
        losses = {name: value.item() / steps for name, value in sums.items()}
        figures = meter.result()
        norm = figures.pop("feature_norm")
        return EpochRecord(
            epoch=epoch,
            losses=losses,
            lr=rate,
            images_per_second=seen * self.ranks.world / seconds,
            seconds=seconds,
            feature_norm=norm,
            separation=figures,
            warnings=watch.update(norm, losses["triplet"]),
        )

    def step(
        self,
        images: Tensor,
        labels: Tensor,
        done: float,
        targets: Tensor | None = None,
        cameras: Tensor | None = None,
    ) -> tuple[Output, dict[str, Tensor]]:
        """One update of the weights and the centers.

        Args:
            images: (B, 3, H, W) in [0, 1].
            labels: (B,) positions of the identities.
            done: epochs finished, a fraction within one.
            targets: the teacher's features of the pictures, where there is a teacher.
            cameras: (B,) as the dataset numbers them, where the network is told.
        """
        with torch.autocast(self.device.type, dtype=self.half, enabled=self.half is not None):
            output: Output = self.network(images, cameras)
        loss, terms = self.criterion(output, labels, done / self.config.optim.epochs)
        own = self.model.extra_losses(output, labels)
        if own:
            loss = torch.stack([loss, *own.values()]).sum()
            terms |= {"total": loss.detach(), **{k: v.detach() for k, v in own.items()}}
        if self.lesson is not None:
            taught, more = self.lesson(output, targets)
            loss = loss + taught
            terms |= {"total": loss.detach(), **more}
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.criterion.update(output, labels)
        return output, terms

    def time_steps(self, steps: int) -> float:
        """Median seconds of a training step, data included, after one to warm up if there are more.

        Moves the weights: for a trainer that is thrown away.
        """
        self.model.train()
        self.sampler.set_epoch(1)
        seconds = []
        for step, indices in enumerate(itertools.islice(self.sampler, steps + 1)):
            start = time.perf_counter()
            images = self._images(self.pictures.batch(indices), 1, step)
            targets, cameras = (self._of(v, indices) for v in (self.targets, self.camids))
            self.step(images, self.labels[indices].to(self.device), 0.0, targets, cameras)
            seconds.append(time.perf_counter() - start)
        return statistics.median(seconds[1:] or seconds)

    @torch.no_grad()
    def start_norm(self) -> float:
        """Feature norm of the first batch before training, in train mode, statistics untouched."""
        state = {name: value.clone() for name, value in self.model.named_buffers()}
        self.sampler.set_epoch(1)
        indices = next(iter(self.sampler))
        images = self._images(self.pictures.batch(indices), 1, 0)
        meter = SeparationMeter()
        meter.update(self.model.train()(images, self._of(self.camids, indices)))
        for name, value in self.model.named_buffers():
            value.copy_(state[name])
        return meter.result()["feature_norm"]

    def checkpoint(self) -> Checkpoint:
        """Everything needed to go on."""
        parts = {
            "model": self.model.state_dict(),
            "criterion": self.criterion.state_dict(),
            "optimizer": optimizer_tensors(self.optimizer),
        }
        if self.distillation is not None:
            parts["distillation"] = self.distillation.state_dict()
        tensors = {f"{part}.{k}": v for part, state in parts.items() for k, v in state.items()}
        facts = {
            "dataset": self.data.name,
            "fingerprint": self.data.fingerprint,
            "training_pictures": len(self.pictures),
            "cameras": self.cameras,
            "left_out": [f"{sample.path.name}: {why}" for sample, why in self.pictures.left_out],
            "torch": torch.__version__,
            "scaler": self.scaler.state_dict(),
            "teacher": "" if self.teacher is None else self.teacher.file.name,
            "teacher_fingerprint": "" if self.teacher is None else self.teacher.fingerprint,
            "init": self.init,
        }
        return Checkpoint(self.config, self.epoch, self.identities, tensors, facts)

    def begin_from(self, run: Run) -> None:
        """Start from the weights of ``run`` as far as names and shapes agree, and say what did.

        Raises:
            InputError: almost nothing fits.
        """
        state = run.checkpoint.part("model")
        words = fit_state(self.model, state, where=run.name, core="trunk.")
        self.init = f"{run.name} ({run.hash}): {words}"
        if self.ranks.writes:
            print(f"started from {self.init}", file=sys.stderr)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on where ``checkpoint`` stopped.

        Raises:
            InputError: it was trained on other data or by another teacher.
        """
        if checkpoint.facts["fingerprint"] != self.data.fingerprint:
            raise InputError(
                f"the run was trained on {checkpoint.facts['dataset']} with fingerprint "
                f"{checkpoint.facts['fingerprint']}, these data have {self.data.fingerprint}; "
                "resume with the same data, or start another run"
            )
        theirs = checkpoint.facts.get("teacher_fingerprint", "")
        if theirs != ("" if self.teacher is None else self.teacher.fingerprint):
            taught_by = checkpoint.facts.get("teacher") or "no teacher"
            raise InputError(
                f"the run was taught by {taught_by}, now by "
                f"{'none' if self.teacher is None else self.teacher.file}; resume with the same "
                "teacher, or start another run"
            )
        self.model.load_state_dict(checkpoint.part("model"))
        if self.distillation is not None:
            self.distillation.load_state_dict(checkpoint.part("distillation"))
        self.init = checkpoint.facts.get("init", "")
        self.criterion.load_state_dict(checkpoint.part("criterion"))
        restore_optimizer(self.optimizer, checkpoint.part("optimizer"))
        self.scaler.load_state_dict(checkpoint.facts["scaler"])
        self.epoch = checkpoint.epoch

    def _make_distillation(self) -> Distillation | None:
        if self.targets is None:
            return None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            width = self.targets.shape[1]
            return Distillation(self.config.distill, self.model.widths, width).to(self.device)

    def _of(self, values: Tensor | None, indices: list[int]) -> Tensor | None:
        """The rows of some pictures, on the device; ``None`` where there are no values."""
        return None if values is None else values[indices].to(self.device)

    def _images(self, pixels: Tensor, epoch: int, step: int) -> Tensor:
        """Augmented pictures in [0, 1] on the device; the same for the same epoch and step."""
        words = np.random.SeedSequence([self.config.seed, epoch, step, self.ranks.rank])
        generator = torch.Generator().manual_seed(int(words.generate_state(1)[0]))
        images = augment(to_unit(pixels.to(self.device)), self.config.data, generator)
        return images.contiguous(memory_format=torch.channels_last)


def training_pictures(config: Config, data: ReidDataset, cache: Path | None) -> LoadedImages:
    """The training list's pictures at the configured size.

    Raises:
        InputError: the dataset has no training list.
    """
    if not data.train:
        raise InputError(f"{data.name} has no training pictures; it can only be evaluated on")
    where = (cache or cache_folder(data.root)) if config.data.cache else None
    return load_images(data.train, height=config.data.height, width=config.data.width, cache=where)


def _line(terms: dict[str, Tensor], rate: float) -> str:
    shown = ("total", "id", "triplet", "center", "gla", "teacher")
    words = [f"{name} {terms[name].item():.2f}" for name in shown if name in terms]
    return "  ".join([*words, f"{rate:.0f} img/s"])
