"""With what code and on which machine a figure was measured."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import torch

import mfa


def stamp() -> dict[str, str]:
    """``commit``, ``versions`` and ``machine`` for the row of a measured figure."""
    return {
        "commit": commit(),
        "versions": f"mfa {mfa.__version__}, torch {torch.__version__}",
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
    }


def commit(folder: Path | None = None) -> str:
    """Short hash of the checkout that the code runs from, with ``-changed`` where files differ.

    Empty where the code lies in no checkout. ``folder`` is that of another one.
    """
    git = shutil.which("git")
    if git is None:
        return ""
    place = str(folder or Path(mfa.__file__).parent)
    line = [git, "-C", place, "describe", "--always", "--exclude=*", "--dirty=-changed"]
    return subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip()
