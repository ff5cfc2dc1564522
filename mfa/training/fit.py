"""Training: a plain loop as a generator of epoch records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from mfa.config import Config
from mfa.models import check_settings
from mfa.records import EpochRecord, ReidDataset
from mfa.runs.run import Run, RunFolder
from mfa.training import distributed
from mfa.training.collapse import CollapseWatch
from mfa.training.teacher import Teacher
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
    cache: Path | None = None,
    progress: bool = True,
) -> Iterator[EpochRecord]:
    """Train and yield one record an epoch; stop by breaking out of the loop.

    Everything random follows from ``config.seed``, the epoch and the step: on the CPU a run repeats
    bit for bit, and a resumed one equals an uninterrupted one. After each epoch the run folder
    holds a complete checkpoint and a line more of ``history.csv``.

    Args:
        config: the whole run.
        data: what to train on; see ``mfa.load_dataset``.
        run: folder to write; ``None`` writes nothing.
        resume: go on from the folder's checkpoint; without one, start.
        teacher: features to learn from as well, weighted by ``config.distill``.
        init: start from the weights of this run, as far as they fit.
        device: where to compute; the GPU where there is one.
        cache: folder for decoded pictures; by default ``cache`` beside the dataset. Unused where
            ``config.data.cache`` is off.
        progress: show a bar with the loss terms and images a second.

    Raises:
        InputError: the folder holds another run, or the data do not suit the configuration.
    """
    check_settings(config)
    ranks = distributed.join()
    place = torch.device(device) if device is not None else distributed.default_device(ranks)
    folder = None if run is None else RunFolder(Path(run))
    start = folder.begin(config, resume=resume) if folder is not None else None
    trainer = Trainer(config, data, place, ranks, cache, teacher, fresh=start is None)
    if init is not None and start is None:
        trainer.begin_from(init)
    watch = CollapseWatch(trainer.start_norm())
    if folder is not None and start is not None:
        trainer.restore(start)
        folder.replay(watch, start.epoch)
    for epoch in range(trainer.epoch + 1, config.optim.epochs + 1):
        record = trainer.run_epoch(epoch, watch, progress=progress and ranks.writes)
        if folder is not None and ranks.writes:
            folder.save(trainer.checkpoint(), record)
        yield record
