"""Train and score every row with every seed; keep what is finished, survive what fails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from mfa.ablation.plans import Row
from mfa.config import to_dict
from mfa.errors import InputError
from mfa.explain.part_energy import person_energy
from mfa.files import read_json, write_atomically
from mfa.inference.evaluate import evaluate, measure_separation
from mfa.records import ReidDataset
from mfa.retrieval.results import as_percent
from mfa.retrieval.statistics import intervals
from mfa.runs.device import choose_device
from mfa.runs.provenance import stamp
from mfa.runs.run import Run, open_run
from mfa.runs.stored_config import from_json, to_json
from mfa.training.fit import fit
from mfa.training.trainer import Trainer

ROW_FILE = "row.json"
RESULT_FILE = "result.json"


@dataclass(frozen=True)
class Outcome:
    """What became of one row with one seed.

    Attributes:
        row: its name.
        seed: of the run.
        folder: its run folder.
        figures: the tidy row of the table; empty when it failed.
        failure: why it failed; empty when it did not.
        skipped: it was finished before.
    """

    row: str
    seed: int
    folder: Path
    figures: dict[str, Any]
    failure: str = ""
    skipped: bool = False


def run_plan(
    rows: Sequence[Row],
    seeds: Sequence[int],
    data: ReidDataset,
    folder: Path,
    *,
    reuse: Sequence[Path] = (),
    device: str | None = None,
    precision: str | None = None,
) -> Iterator[Outcome]:
    """Train and score, yielding each outcome as it comes.

    A finished run is not run again, an interrupted one goes on from its last epoch, a failed one
    is reported and the rest goes on. Per-query results stay in the run folders.

    Args:
        rows: what is run with each seed.
        seeds: of the runs.
        data: to train and score on.
        folder: of the runs.
        reuse: folders of other plans' runs. One that is finished there, of the same configuration,
            seed and data, is taken as it is, whatever its row is called there.
        device: where to train and score; by default the GPU where there is one.
        precision: number format of the forward pass in scoring, see ``mfa.open_run``.
    """
    for seed, row, place in _places(rows, seeds, folder):
        try:
            done = finished(place, row, seed, data)
            if done is None:
                place, done = reusable(row, seed, data, reuse) or (place, None)
            figures = done or run_row(row, seed, data, place, device, precision)
            yield Outcome(row.name, seed, place, figures, skipped=done is not None)
        except Exception as error:  # one failing row must not cost the others
            yield Outcome(row.name, seed, place, {}, failure=f"{type(error).__name__}: {error}")


def run_row(
    row: Row,
    seed: int,
    data: ReidDataset,
    place: Path,
    device: str | None = None,
    precision: str | None = None,
) -> dict[str, Any]:
    """Train one row with one seed and measure it; the tidy row, also kept in ``place``."""
    config = replace(row.config, seed=seed)
    for _ in fit(config, data, place, resume=True, device=device):
        pass
    run = open_run(place, device, precision)
    figures = {"row": row.name, "seed": seed, **measure(run, data)}
    write_atomically(place / ROW_FILE, json.dumps(figures, indent=2) + "\n")
    return figures


def finished(place: Path, row: Row, seed: int, data: ReidDataset) -> dict[str, Any] | None:
    """The tidy row of an earlier call, if there is one."""
    file = place / ROW_FILE
    if not file.is_file():
        return None
    figures = _recorded(file)
    trained = open_run(place, "cpu").config
    wanted = replace(row.config, seed=seed, name=trained.name)
    if trained != wanted or figures["fingerprint"] != data.fingerprint:
        raise InputError(
            f"{place} holds this row with another configuration or other data; delete the folder "
            "to run it again, or choose another --out"
        )
    return figures


def _recorded(file: Path) -> dict[str, Any]:
    """The tidy row that ``run_row`` wrote; raises ``InputError`` where the file is damaged."""
    figures = read_json(file)
    if not isinstance(figures, dict) or not {"row", "mAP", "fingerprint", "config"} <= {*figures}:
        raise InputError(f"{file} is no row of an ablation", "delete it, and the row is measured")
    return figures


def waiting(
    rows: Sequence[Row],
    seeds: Sequence[int],
    data: ReidDataset,
    folder: Path,
    *,
    reuse: Sequence[Path] = (),
) -> dict[str, int]:
    """How many seeds of each row ``run_plan`` would train, by row name."""
    left = dict.fromkeys((row.name for row in rows), 0)
    for seed, row, place in _places(rows, seeds, folder):
        with suppress(InputError):  # another configuration lies there: refused, not trained
            done = finished(place, row, seed, data) or reusable(row, seed, data, reuse)
            left[row.name] += done is None
    return left


def reusable(
    row: Row, seed: int, data: ReidDataset, folders: Sequence[Path]
) -> tuple[Path, dict[str, Any]] | None:
    """Where another plan ran the same configuration with this seed on these data, and its row."""
    wanted = {**to_dict(replace(row.config, seed=seed)), "name": ""}
    for folder in folders:
        for file in sorted(folder.glob(f"*/{ROW_FILE}")):
            with suppress(InputError):  # damaged, or of fields that there are no more
                figures = _recorded(file)
                trained = to_dict(from_json(figures["config"]))
                if {**trained, "name": ""} == wanted and figures["fingerprint"] == data.fingerprint:
                    return file.parent, {**figures, "row": row.name}
    return None


def measure(run: Run, data: ReidDataset) -> dict[str, Any]:
    """Scores in percent, separation on the query pictures, and everything needed to repeat them."""
    result = evaluate(run, data)
    if run.path is not None:
        result.save(run.path / RESULT_FILE)
    history = run.history
    last = history.iloc[-1]
    names = ("mAP", "mAP_trapezoid", "mINP", "rank1", "rank5", "rank10")
    figures: dict[str, Any] = {name: as_percent(getattr(result, name)) for name in names}
    low, high = intervals(result.per_query)["mAP"]
    figures |= {"mAP_low": as_percent(low), "mAP_high": as_percent(high), "resampled": "identities"}
    separation = measure_separation(run, data)
    with suppress(InputError):  # real pictures have no part masks; the cells stay empty
        separation |= person_energy(run, data)
    figures |= {name: round(value, 4) for name, value in separation.items()}
    return figures | {
        "first_feature_norm": round(float(history["feature_norm"].iloc[0]), 3),
        "last_feature_norm": round(float(last["feature_norm"]), 3),
        "warned_epochs": int((history["warnings"] != "").sum()),
        "first_warning": next((w for w in history["warnings"] if w), ""),
        "epochs": int(last["epoch"]),
        "train_seconds": round(float(history["seconds"].sum()), 1),
        "name": run.config.name,
        "dataset": data.name,
        "fingerprint": data.fingerprint,
        "queries": len(result.counted),
        "checkpoint": run.hash,
        **stamp(),
        "config": to_json(run.config),
    }


def estimate(
    rows: Sequence[Row], data: ReidDataset, *, steps: int = 3, device: str | None = None
) -> pd.DataFrame:
    """Seconds of training each row will take, from a few of its steps on this machine.

    Returns:
        Columns ``row``, ``epochs``, ``steps`` (of the whole training), ``seconds``, ``fault``: why
        the row cannot be trained, in which case steps and seconds are 0; else empty.
    """
    lines = []
    for row in rows:
        total, seconds, fault, epochs = 0, 0.0, "", row.config.optim.epochs
        try:
            trainer = Trainer(row.config, data, choose_device(device))
            total = len(trainer.batches.sampler) * epochs
            seconds = trainer.time_steps(steps) * total
        except Exception as error:  # as in run_plan: it must not cost the others
            total, fault = 0, f"{type(error).__name__}: {error}"
        lines.append((row.name, epochs, total, seconds, fault))
    return pd.DataFrame(lines, columns=["row", "epochs", "steps", "seconds", "fault"])


def _places(
    rows: Sequence[Row], seeds: Sequence[int], folder: Path
) -> Iterator[tuple[int, Row, Path]]:
    """Every seed with every row, and the folder of that run."""
    for seed in seeds:
        for row in rows:
            slug = re.sub(r"[^a-z0-9]+", "-", row.name.lower()).strip("-")
            yield seed, row, folder / f"{slug}-s{seed}"
