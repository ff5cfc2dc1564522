"""Options and sentences that several commands share."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mfa.errors import InputError

if TYPE_CHECKING:
    from mfa.records import ReidDataset
    from mfa.runs.run import Run

MAX_THREADS = 1024


@dataclass(frozen=True)
class Computing:
    """Where networks compute, and how."""

    device: str | None = None
    """Where the network computes, such as cpu or cuda:1; by default the GPU if there is one."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Number format of the forward pass; the 16-bit ones are faster where the hardware has them."""

    def open(self, path: str) -> Run:
        """The run of a folder, or of a name under ``runs/``."""
        from mfa.runs.run import open_run

        return open_run(path, self.device, self.precision)


def say(words: str) -> None:
    """Print a sentence beside the answer, on stderr."""
    print(words, file=sys.stderr, flush=True)


def read_data(name: str, root: Path | None) -> ReidDataset:
    """The dataset called ``name``; what its reader noticed is printed."""
    from mfa.datasets import data_root, load_dataset

    data = load_dataset(name, data_root(root))
    for note in data.notes:
        say(note)
    return data


def set_threads(threads: int | None) -> None:
    """Let PyTorch compute with so many threads; ``None`` leaves it its choice.

    Raises:
        InputError: fewer than 1, or more than any machine has.
    """
    import torch

    if threads is None:
        return
    if not 1 <= threads <= MAX_THREADS:
        raise InputError(f"--threads is 1 to {MAX_THREADS:,}, got {threads:,}")
    torch.set_num_threads(threads)
