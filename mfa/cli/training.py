"""What ``mfa train`` and ``mfa distill`` share: where a run goes, and one line an epoch."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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

    def folder(self, default: str) -> Path:
        """The run folder: the one asked for, else ``runs/`` and ``default``."""
        run = Path(self.run or default)
        return run if run.parent != Path() else Path("runs") / run


def prepare(options: Options) -> ReidDataset:
    """Set the threads and read the dataset, printing what its reader noticed.

    Raises:
        InputError: the dataset cannot be read.
    """
    import torch

    from mfa.datasets import data_root, load_dataset

    if options.threads:
        torch.set_num_threads(options.threads)
    data = load_dataset(options.data, data_root(options.data_root))
    for note in data.notes:
        print(note, file=sys.stderr)
    return data


def report(records: Iterable[EpochRecord], folder: Path, data: str) -> None:
    """Train by drawing the records; print each as a line, and at the end what to do next."""
    from mfa import parallel

    speaks = parallel.join().writes
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
    if speaks:
        print(f"run {folder}; score it with: mfa evaluate {folder} --data {data}")
