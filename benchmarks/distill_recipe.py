"""Which recipe distils best in the same minutes? One row per setting, on identities held out.

    python benchmarks/distill_recipe.py --teacher FEATURES.npz --data market1501 --data-root DIR

Every setting changes one thing of ``mfa train cpu --variant baseline --teacher`` and trains for
the same number of pictures, so rows compare at equal work where the setting itself does not change
the work. The last 75 identities of the training list are left out of training: their first picture
by each camera is a query, all their pictures are the gallery. The test set is not looked at.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import torch
import tyro

from mfa import presets
from mfa.config import Config, derive
from mfa.datasets import data_root, load_dataset
from mfa.inference.evaluate import evaluate
from mfa.records import ReidDataset
from mfa.runs.run import open_run
from mfa.training.distillation import Teacher, read_teacher
from mfa.training.fit import fit

HELD_OUT = 75

SETTINGS: Mapping[str, Mapping[str, object]] = {
    "default": {},
    "rate 0.002": {"optim.lr": 2e-3},
    "rate 0.008": {"optim.lr": 8e-3},
    "similarity 0": {"distill.similarity_weight": 0.0},
    "similarity 5": {"distill.similarity_weight": 5.0},
    "erasing 0": {"data.erasing": 0.0},
    "erasing 0.5": {"data.erasing": 0.5},
    "batches 16 x 4": {"data.sampling": "pk"},
    "batch of 32": {"data.pids": 8},
    "96x48": {"data.height": 96, "data.width": 48},
}


@dataclass(frozen=True)
class Options:
    """What to measure on, and for how long."""

    teacher: Path
    """Feature file of the training pictures."""
    data: str = "market1501"
    data_root: Path | None = None
    epochs: int = 2
    """Epochs of every setting."""
    out: Path = Path("runs/distill-recipe")
    """Folder of the runs; finished ones are kept."""
    only: tuple[str, ...] = ()
    """Names of settings; by default all."""
    cpu_bfloat16: bool = False
    """Compute in bfloat16."""
    threads: int = 1


def main(options: Options) -> None:
    """Train each setting, print and keep the table after each."""
    torch.set_num_threads(options.threads)
    data = hold_out(load_dataset(options.data, data_root(options.data_root)))
    teacher = read_teacher(options.teacher)
    base = presets.distilled(presets.variant(presets.cpu(), "baseline"))
    changes = {"optim.epochs": options.epochs, "optim.warmup_epochs": 0.05 * options.epochs}
    base = derive(base, {**changes, "optim.cpu_bfloat16": options.cpu_bfloat16})
    rows = []
    for name, change in SETTINGS.items():
        if options.only and name not in options.only:
            continue
        rows.append(
            {"setting": name, **measure(derive(base, change), data, teacher, options, name)}
        )
        print(pd.DataFrame(rows).to_string(index=False), flush=True)
        pd.DataFrame(rows).to_csv(options.out / "rows.csv", index=False)


def hold_out(data: ReidDataset) -> ReidDataset:
    """The training list split by identity: most to train, the last 75 as query and gallery."""
    left_out = set(data.train_pids[-HELD_OUT:])
    gallery = [sample for sample in data.train if sample.pid in left_out]
    query = {(sample.pid, sample.camid): sample for sample in reversed(gallery)}
    return replace(
        data,
        train=tuple(sample for sample in data.train if sample.pid not in left_out),
        query=tuple(query.values()),
        gallery=tuple(gallery),
        fingerprint=f"{data.fingerprint}-held-out",
    )


def measure(
    config: Config, data: ReidDataset, teacher: Teacher, options: Options, name: str
) -> dict[str, object]:
    """Train and score one setting."""
    folder = options.out / name.replace(" ", "-")
    start = time.process_time()
    for _ in fit(config, data, folder, resume=True, teacher=teacher, device="cpu"):
        pass
    seconds = time.process_time() - start
    run = open_run(folder)
    result = evaluate(run, data)
    return {
        "epochs": config.optim.epochs,
        "cpu_seconds": round(seconds),
        "teacher": round(float(run.history["teacher"].iloc[-1]), 4),
        "mAP": round(100 * result.mAP, 2),
        "rank1": round(100 * result.rank1, 2),
        "queries": len(result.counted),
    }


if __name__ == "__main__":
    main(tyro.cli(Options))
