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


def commit() -> str:
    """Short hash of the checkout the code runs from; empty where it is not one."""
    git = shutil.which("git")
    if git is None:
        return ""
    line = [git, "-C", str(Path(mfa.__file__).parent), "rev-parse", "--short", "HEAD"]
    return subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip()
