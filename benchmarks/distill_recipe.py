"""Which recipe distils best in the same minutes? One row per setting, on identities held out.

    python -m benchmarks.distill_recipe --teacher FEATURES.npz --data market1501 --data-root DIR

Every setting changes one thing of ``mfa train cpu --variant baseline --teacher`` and trains for
the same number of pictures, so rows compare at equal work where the setting itself does not change
the work. The last 75 identities of the training list are left out of training: their first picture
by each camera is a query, all their pictures are the gallery. The test set is not looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
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
from mfa.retrieval.results import as_percent
from mfa.runs.run import Run, open_run
from mfa.runs.stored_config import to_json
from mfa.training.distillation import read_teacher
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
class Trial:
    """What to learn from, and what to keep."""

    teacher: Path
    """Feature file of the training pictures."""
    out: Path
    """Folder of the runs; finished ones are kept."""
    data_root: Path | None = None
    only: tuple[str, ...] = ()
    """Names of settings; by default all."""


@dataclass(frozen=True)
class Options(Trial):
    """What to measure on, and for how long."""

    out: Path = Path("runs/distill-recipe")
    data: str = "market1501"
    epochs: int = 2
    """Epochs of every setting."""
    cpu_bfloat16: bool = False
    """Compute in bfloat16."""
    threads: int = 1


def main(options: Options) -> None:
    """Train each setting, print and keep the table after each."""
    torch.set_num_threads(options.threads)
    data = hold_out(load_dataset(options.data, data_root(options.data_root)))
    base = presets.distilled(presets.variant(presets.cpu(), "baseline"))
    changes = {"optim.epochs": options.epochs, "optim.warmup_epochs": 0.05 * options.epochs}
    base = derive(base, {**changes, "optim.cpu_bfloat16": options.cpu_bfloat16})
    run_settings(base, SETTINGS, data, options, measure)


def run_settings(
    base: Config,
    settings: Mapping[str, Mapping[str, object]],
    data: ReidDataset,
    trial: Trial,
    measure: Callable[[Run, ReidDataset], Mapping[str, object]],
) -> None:
    """Train ``base`` with each setting's changes; print and keep the table after each."""
    teacher = read_teacher(trial.teacher)
    rows = []
    for name in trial.only or settings:
        folder = trial.out / name.replace(", ", "-").replace(" ", "-")
        start = time.process_time()
        config = derive(base, settings[name])
        for _ in fit(config, data, folder, resume=True, teacher=teacher, device="cpu"):
            pass
        seconds = round(time.process_time() - start)
        rows.append({"setting": name, "cpu_seconds": seconds, **measure(open_run(folder), data)})
        pd.DataFrame(rows).to_csv(trial.out / "rows.csv", index=False)
        print(pd.DataFrame(rows).drop(columns="config").to_string(index=False), flush=True)


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
        fingerprint=f"held-out-{data.fingerprint}",
    )


def measure(run: Run, data: ReidDataset) -> dict[str, object]:
    """Scores of a trained run, and how near it came to its teacher."""
    result = evaluate(run, data)
    return {
        "epochs": run.config.optim.epochs,
        "teacher": round(float(run.history["teacher"].iloc[-1]), 4),
        "mAP": as_percent(result.mAP),
        "rank1": as_percent(result.rank1),
        "queries": len(result.counted),
        "config": to_json(run.config),
    }


if __name__ == "__main__":
    main(tyro.cli(Options))
