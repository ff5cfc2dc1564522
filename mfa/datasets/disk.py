"""Whether the disk has room for what is about to be written."""

from __future__ import annotations

import shutil
from pathlib import Path

from mfa.errors import InputError

SPARE = 200 * 2**20
"""Bytes that stay free on the disk, for checkpoints and results."""


def refuse_if_full(what: str, size: float, folder: Path, fix: str) -> None:
    """Raise where ``size`` more bytes in ``folder`` would leave less than ``SPARE``.

    Args:
        what: what takes the room, the beginning of a sentence that goes on with the size.
        size: in bytes.
        folder: any folder on the disk.
        fix: what to do about it.
    """
    free = shutil.disk_usage(folder).free
    if size + SPARE > free:
        needs = f"{what} {size / 2**20:,.0f} MiB"
        raise InputError(f"{needs} and {folder} has {free / 2**20:,.0f} MiB free", fix)
