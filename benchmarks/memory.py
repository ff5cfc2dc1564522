"""Peak memory of each command, one process after another."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torchvision.models import resnet18

from benchmarks.made import made_features
from mfa.errors import InputError
from mfa.records import Features
from mfa.retrieval import feature_file

COMMANDS = (
    "python -c 'import torch'",
    "python -c 'import mfa'",
    "python -c 'import viz'",
    "mfa --help",
    "mfa data make synthetic",
    "mfa data doctor synthetic",
    "mfa data views synthetic --copies 1",
    "mfa train demo --optim.epochs 1 --run own",
    "mfa export mfa-tiny tiny.safetensors",
    "mfa export mfa-tiny tiny.onnx",
    "mfa export mfa-tiny small.onnx --int8 --data synthetic",
    "mfa evaluate tiny.safetensors --data synthetic",
    "mfa evaluate own --separation",
    "mfa evaluate market.npz",
    "mfa evaluate market.npz --rerank",
    "mfa compare own tiny.onnx --data synthetic",
    "mfa project own short.safetensors --teacher tiny.onnx",
    "mfa ablate default --epochs 1",
    "mfa verify --derived",
    "mfa explain pair tiny.onnx QUERY GALLERY",
    "mfa explain passport own --queries 20",
    "mfa explain repaint own --persons 20",
    "mfa import-weights resnet18.pth --from torchvision",
    "mfa complexity paper",
    "mfa-viz data synthetic",
    "mfa-viz curves own",
    "mfa-viz charts own",
    "mfa-viz grid own",
    "mfa-viz maps own",
    "mfa-viz attention own --queries 20",
    "mfa-viz figures --run own --out figures",
)
"""In an order in which each finds what it needs; QUERY and GALLERY are pictures of the set.

``mfa-viz demo`` runs a notebook and ``mfa-viz app`` serves until it is ended: neither is here.
"""

STARTS = {
    "python": (),
    "mfa": ("-c", "from mfa.cli import main; main()"),
    "mfa-viz": ("-c", "from viz.cli import main; main()"),
}
"""What Python is asked to do for the first word of a command."""

MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""
"""A small process between: the system counts the memory of a process's parent as its own."""


def run(commands: Sequence[str] = COMMANDS) -> dict[str, Any]:
    """Run each command on the default synthetic set and note the most memory that it held.

    Features in a file are made up and of Market-1501's size, with 512 columns.

    Returns:
        ``mib``: peak resident memory of each command in MiB; ``above_torch``: the same less that of
        importing PyTorch; ``largest``: the largest; ``table``: the figures in Markdown.

    Raises:
        InputError: the system does not tell the memory of a process that ended, or a command fails.
    """
    if find_spec("resource") is None:
        raise InputError("this system does not tell the peak memory of a process that has ended")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "data").mkdir()
        feature_file.write(place / "market.npz", _market())
        torch.save(resnet18(weights=None).state_dict(), place / "resnet18.pth")
        mib = {command: peak_mib(command, place) for command in commands}
    torch_alone = mib.get(COMMANDS[0], 0.0)
    return {
        "mib": mib,
        "above_torch": {command: peak - torch_alone for command, peak in mib.items()},
        "largest": max(mib.values()),
        "table": table(mib),
    }


def table(mib: Mapping[str, float]) -> str:
    """The table of docs/speed.md."""
    rows = (f"| `{command}` | {peak:,.0f} |" for command, peak in mib.items())
    return "\n".join(["| command | MiB at most |", "|---|---|", *rows])


def peak_mib(command: str, place: Path) -> float:
    """Most resident memory of a command that runs in ``place``, in MiB."""
    first, *words = shlex.split(command)
    pictures = {
        word: str(next((place / "data/synthetic" / folder).glob("*.jpg"), word))
        for word, folder in (("QUERY", "query"), ("GALLERY", "bounding_box_test"))
    }
    asked = [sys.executable, *STARTS[first], *(pictures.get(word, word) for word in words)]
    kept = place / "peak"
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, kept, *asked],
        cwd=place,
        env={**os.environ, "MFA_DATA": str(place / "data"), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InputError(f"{command} ended with {done.returncode}: {done.stderr[-500:]}")
    return int(kept.read_text()) / (2**20 if sys.platform == "darwin" else 2**10)


def _market() -> Features:
    return made_features(
        queries=3368,
        gallery=15913,
        people=750,
        distractors=2798,
        cameras=6,
        width=512,
        noise=1.0,
    )
