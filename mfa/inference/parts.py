"""Rows made in parts on disk: processes share them, and a stopped job goes on from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mfa.files import atomic
from mfa.processes import ProcessGroup
from mfa.progress import Progress, part_of

PART = 1024
"""Pictures in a part: whole batches, so that the rows are those of one go, to the last bit."""

Make = Callable[[range, Progress], np.ndarray]
"""Rows of a range of pictures, (len(range), D)."""


def make_parts(
    make: Make, count: int, folder: Path, ranks: ProcessGroup, progress: Progress
) -> None:
    """Write the parts of ``count`` rows that ``folder`` lacks; each process makes its share.

    Returns when all processes have written theirs.

    Raises:
        InputError: a part cannot be written.
    """
    spans = [range(start, min(start + PART, count)) for start in range(0, count, PART)]
    missing = ranks.from_first(lambda: [s for s in spans if _read(folder, s, count) is None])
    mine = ranks.mine(missing)
    for number, span in enumerate(mine):
        within = part_of(progress, number / len(mine), (number + 1) / len(mine))
        with atomic(_file(folder, span, count)) as draft:
            np.save(draft, make(span, within))
    ranks.from_all(None)


def read_parts(count: int, folder: Path) -> np.ndarray:
    """The rows whose parts were made, (count, D)."""
    spans = (range(start, min(start + PART, count)) for start in range(0, count, PART))
    return np.concatenate([np.load(_file(folder, span, count)) for span in spans])


def _file(folder: Path, span: range, count: int) -> Path:
    """Named by what it holds, and by the whole that it belongs to."""
    return folder / f"{span.start}-{span.stop}-of-{count}.npy"


def _read(folder: Path, span: range, count: int) -> np.ndarray | None:
    """A part; ``None`` where it is absent or damaged."""
    try:
        rows: np.ndarray = np.load(_file(folder, span, count))
    except (OSError, ValueError, EOFError):
        return None
    return rows if len(rows) == len(span) else None
