"""What ``mfa train`` and ``mfa distill`` share: where a run goes, one line an epoch, its scores."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mfa.config import Config
from mfa.records import EpochRecord, ReidDataset


@dataclass(frozen=True)
class Options:
    """Where a training reads and writes."""

    data: str = "synthetic"
    """Dataset to train on."""
    data_root: Path | None = None
    """Folder the datasets lie in; by default MFA_DATA, else data."""
    run: str | None = None
    """Name of the run, a folder under runs/ (or a path); by default preset-variant-dataset."""
    resume: bool = False
    """Go on from the run's last epoch."""
    init: str | None = None
    """Start from the weights of a run, a checkpoint file or mfa-tiny, as far as they fit."""
    device: str | None = None
    """cpu or cuda; by default the GPU where there is one."""
    threads: int | None = None
    """Threads PyTorch computes with; by default all cores."""
    score_on: tuple[str, ...] = ()
    """Datasets to score the run on once it is trained, by the standard protocol: others than --data
    make it a cross-dataset run. They are checked before the training begins."""
    score_root: Path | None = None
    """Folder the datasets of --score-on lie in; by default that of --data-root."""

    def folder(self, default: str) -> Path:
        """The run folder: the one asked for, else ``runs/`` and ``default``."""
        run = Path(self.run or default)
        return run if run.parent != Path() else Path("runs") / run


def prepare(options: Options, config: Config) -> tuple[ReidDataset, tuple[ReidDataset, ...]]:
    """Set the threads, read the dataset to train on and those of ``--score-on``.

    What their readers noticed is printed.

    Raises:
        InputError: one of them cannot be read, or cannot be scored on.
    """
    import torch

    from mfa.inference.evaluate import check_scorable
    from mfa.models import check_settings

    check_settings(config)
    if options.threads:
        torch.set_num_threads(options.threads)
    data = _read(options.data, options.data_root)
    root = options.score_root or options.data_root
    further = tuple(_read(name, root) for name in dict.fromkeys(options.score_on))
    for other in further:
        check_scorable(config, other)
    return data, further


def report(
    records: Iterable[EpochRecord],
    folder: Path,
    options: Options,
    further: Iterable[ReidDataset] = (),
) -> None:
    """Train by drawing the records; print each as a line, what to do next, and the scores."""
    from mfa.cli import evaluate
    from mfa.runs.run import open_run
    from mfa.training import distributed

    speaks = distributed.join().writes
    for record in records:
        if not speaks:
            continue
        losses = "  ".join(f"{k} {v:.3f}" for k, v in record.losses.items() if "/" not in k)
        print(
            f"epoch {record.epoch}: {losses}  norm {record.feature_norm:.2f}  "
            f"{record.images_per_second:.0f} img/s  {record.seconds:.0f} s",
            flush=True,
        )
        for warning in record.warnings:
            print(f"warning: {warning}", file=sys.stderr)
    if not speaks:
        return
    words = ["mfa", "evaluate", str(folder), "--data", options.data]
    if options.data_root:
        words += ["--data-root", str(options.data_root)]
    print(f"run {folder}; score it with: {shlex.join(words)}", flush=True)
    for data in further:
        print(evaluate.kept_score(open_run(folder), data))


def _read(name: str, root: Path | None) -> ReidDataset:
    from mfa.datasets import data_root, load_dataset

    data = load_dataset(name, data_root(root))
    for note in data.notes:
        print(note, file=sys.stderr)
    return data
