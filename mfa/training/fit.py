"""Training: a plain loop as a generator of epoch records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import torch

from mfa.config import Config
from mfa.errors import InputError
from mfa.models import check_settings
from mfa.processes import joined
from mfa.progress import Progress, part_of
from mfa.records import EpochRecord, ReidDataset
from mfa.runs.checkpoint import Checkpoint
from mfa.runs.device import choose_device
from mfa.runs.events import Events
from mfa.runs.folder import RunFolder
from mfa.runs.history import history_row, read_history
from mfa.runs.run import Run
from mfa.training.collapse import CollapseWatch
from mfa.training.distillation import Teacher
from mfa.training.trainer import Trainer


def fit(
    config: Config,
    data: ReidDataset,
    run: Path | str | None = None,
    *,
    resume: bool = False,
    teacher: Teacher | None = None,
    init: Run | None = None,
    device: torch.device | str | None = None,
    compile: bool = False,
    tensorboard: bool = False,
    cache: Path | None = None,
    progress: bool | Progress = True,
) -> Iterator[EpochRecord]:
    """Train and yield one record per epoch; stop by breaking out of the loop.

    Everything random follows from ``config.seed``, the epoch and the step: on the CPU a run repeats
    bit for bit, and a resumed one equals an uninterrupted one. After each epoch the run folder
    holds a complete checkpoint and one more line of ``history.csv``. While it trains, no other
    process can train in the folder.

    Args:
        config: the whole run.
        data: what to train on; see ``mfa.load_dataset``.
        run: folder to write; ``None`` writes nothing.
        resume: go on from the folder's checkpoint; without one, start.
        teacher: features to learn from as well, weighted by ``config.distill``.
        init: start from the weights of this run, as far as they fit.
        device: where to compute; by default the GPU where there is one, else the CPU. Under
            ``torchrun`` each process takes the GPU of its number.
        compile: translate the network with ``torch.compile`` at its first step. That takes minutes
            and rounds differently; a run equals another one that was compiled as well.
        tensorboard: write the figures of the history as events, too; see ``mfa.runs.events``.
        cache: folder for decoded pictures; by default ``cache`` beside the dataset. Unused where
            ``config.data.cache`` is off.
        progress: ``True`` shows a bar per epoch with the loss terms and images per second; a
            callable is called with the completed fraction of the training.

    Raises:
        InputError: the folder holds another run, another process trains there, it cannot be
            written, the data do not suit the configuration, or the loss is NaN or infinite. Events
            are asked for without a folder or without the extra ``tensorboard``, or the network
            cannot be compiled here.
    """
    check_settings(config)
    place = choose_device(device)
    if tensorboard and run is None:
        raise InputError("events for TensorBoard need a run folder", "name one (run=)")
    with ExitStack() as stack:
        ranks = stack.enter_context(joined(place))
        folder = None if run is None else stack.enter_context(RunFolder(Path(run)))
        saved: Checkpoint | None = None
        if folder is not None:
            saved = ranks.from_first(lambda: folder.begin(config, resume=resume))
        events = None
        if tensorboard and folder is not None and ranks.writes:
            events = stack.enter_context(Events(folder.path, folder.history()))
        trainer = Trainer(
            config, data, place, ranks, cache, teacher, fresh=saved is None, compile=compile
        )
        if saved is None:
            trainer.begin(init)
        else:
            if folder is not None and "watch" not in saved.facts:  # written by an earlier version
                saved.facts["watch"] = _watch_of(folder).state_dict()
            trainer.restore(saved)
        epochs = config.optim.epochs
        for epoch in range(trainer.state.epoch + 1, epochs + 1):
            shown: bool | Progress = progress and ranks.writes
            if not isinstance(progress, bool):
                shown = part_of(progress, (epoch - 1) / epochs, epoch / epochs)
            record = trainer.run_epoch(epoch, progress=shown)
            if folder is not None:
                checkpoint = trainer.checkpoint()
                ranks.from_first(lambda: folder.save(checkpoint, record))  # noqa: B023
            if events is not None:
                events.add(history_row(record))
            yield record


def _watch_of(folder: RunFolder) -> CollapseWatch:
    """A watch that has seen the history of a run."""
    watch, history = CollapseWatch(), read_history(folder.path)
    if len(history):
        for norm, triplet in zip(history["feature_norm"], history["triplet"], strict=True):
            watch.update(norm, triplet)
    return watch
