"""``python -m benchmarks.kills``: jobs are killed at random moments, begun again, and compared.

Each job runs undisturbed. Then, as often as asked, it is killed (SIGKILL, which no program can
answer) and begun again until it ends. What it leaves must equal what the undisturbed job left: the
same files, with the same contents but for times. A job that ended before its moment does not count.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from safetensors.numpy import load_file

from benchmarks import harness
from mfa.ablation.recompute import OF_A_RUN
from mfa.datasets import load_dataset
from mfa.synthetic import SyntheticConfig, write

TINY = [
    *("--model.width", "8", "--model.branches", "2", "--data.height", "64", "--data.width", "32"),
    *("--data.pids", "3", "--data.images", "2", "--device", "cpu"),
]
TRAIN = ["train", "demo", *TINY, "--optim.epochs", "3", "--data-root", "{given}/data"]
SET = ["model.width=8", "data.height=64", "data.width=32", "data.pids=3", "data.images=2"]
OF_DATA = ["--data-root", "{given}/data"]
JOBS: Mapping[str, tuple[str, Sequence[str]]] = {
    "train": ("mfa", [*TRAIN, "--run", "{place}/new", "--resume"]),
    "distill": (
        "mfa",
        [*TRAIN, "--teacher", "{given}/teacher.npz", "--run", "{place}/new", "--resume"],
    ),
    "ablate": (
        "mfa",
        [
            *("ablate", "default", *OF_DATA, "--out", "{place}/rows", "--epochs", "1"),
            *("--device", "cpu", "--set", *SET),
        ],
    ),
    "prepare": (
        "mfa",
        ["data", "prepare", "synthetic", "--archive", "{given}/set.zip", "--data-root", "{place}"],
    ),
    "cache, extract": ("mfa", ["evaluate", "{place}/run", *OF_DATA, "--cache", "{place}/cache"]),
    "export": ("mfa", ["export", "{place}/run", "{place}/out.safetensors"]),
    "figures": (
        "mfa-viz",
        ["charts", "{place}/run", *OF_DATA, "--only", "cmc", "--out", "{place}/charts"],
    ),
}
"""Program and words of each job. The same words begin it and let it go on."""

TIMES = (*OF_A_RUN, "seconds", "images_per_second")
"""Columns of tables that differ from one run to the next."""


@dataclass(frozen=True)
class Args:
    """What to try."""

    kills: int = 10
    """Kills of each job."""
    jobs: tuple[str, ...] = tuple(JOBS)
    """Jobs to kill."""
    seed: int = 0
    """Of the moments."""
    output: Path | None = None
    """Also keep the figures in this file."""


def main(argv: Sequence[str]) -> None:
    """Kill each job, print the table."""
    args = tyro.cli(Args, args=argv, prog="python -m benchmarks.kills")
    draw, rows = random.Random(args.seed), []
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "given"
        make(given)
        for job in args.jobs:
            rows.append({"job": job, **killed(job, args.kills, given, Path(folder), draw)})
            print(pd.DataFrame(rows).to_string(index=False), flush=True)
    if args.output:
        harness.keep(harness.stamp() | {"kills": rows}, args.output)
    if any(row["right"] < row["kills"] for row in rows):
        sys.exit(1)


def make(given: Path) -> None:
    """A drawn dataset, its archive, a teacher's features, and a run."""
    people = {"train_ids": 4, "test_ids": 4, "train_images": 4, "test_images": 4}
    write(given / "data", SyntheticConfig(**people, distractors=2, junk=0))
    shutil.make_archive(str(given / "set"), "zip", given / "data", "synthetic")
    names = [sample.path.name for sample in load_dataset("synthetic", given / "data").train]
    features = np.random.default_rng(0).normal(size=(len(names), 16)).astype(np.float32)
    np.savez(given / "teacher.npz", feature=features, name=np.array(names))
    start("train", given, given).wait()
    (given / "new").rename(given / "run")


def killed(
    job: str, kills: int, given: Path, folder: Path, draw: random.Random
) -> dict[str, float]:
    """How often the job was killed before its end, and how often the right files came of it."""
    place = folder / "undisturbed"
    begun = time.perf_counter()
    finish(job, fresh(place, given), given)
    whole, wanted = time.perf_counter() - begun, contents(place)
    counted = right = 0
    while counted < kills:
        place = fresh(folder / "killed", given)
        process = start(job, place, given)
        try:
            process.wait(draw.uniform(0, whole))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            counted += 1
            finish(job, place, given)
            found = contents(place)
            right += found == wanted
            for name in sorted(found.keys() | wanted.keys()):
                if found.get(name) != wanted.get(name):
                    print(f"{job}: {name} differs", flush=True)
    return {"seconds undisturbed": round(whole, 1), "kills": counted, "right": right}


def fresh(place: Path, given: Path) -> Path:
    """An empty folder with a copy of the run."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(given / "run", place / "run", ignore=shutil.ignore_patterns("features"))
    return place


def start(job: str, place: Path, given: Path) -> subprocess.Popen[bytes]:
    """The job in a process group of its own."""
    program, words = JOBS[job]
    package = "viz.cli" if program == "mfa-viz" else "mfa.cli"
    line = [sys.executable, "-c", f"from {package} import main; main()"]
    line += [word.format(place=place, given=given) for word in words]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(line, start_new_session=True, **quiet)


def finish(job: str, place: Path, given: Path) -> None:
    """Let the job end; it must end well."""
    if status := start(job, place, given).wait():
        raise SystemExit(f"{job} ended with status {status} in {place}")


def contents(place: Path) -> dict[str, str]:
    """Every file by its name in ``place``, with a digest of what does not depend on the clock."""
    files = (path for path in place.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(place)): digest(path) for path in files}


def digest(path: Path) -> str:
    """Of a table or a row without its times, of named tensors, or of the bytes."""
    if path.suffix == ".csv":
        table = pd.read_csv(path, dtype=str)
        content = table.drop(columns=[name for name in TIMES if name in table]).to_csv().encode()
    elif path.name == "row.json":
        row = json.loads(path.read_text())
        content = json.dumps({name: row[name] for name in row if name not in TIMES}).encode()
    elif path.suffix == ".safetensors":
        tensors = sorted(load_file(path).items())
        content = b"".join(name.encode() + value.tobytes() for name, value in tensors)
    else:
        content = path.read_bytes()
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])
