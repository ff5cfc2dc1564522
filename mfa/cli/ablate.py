"""``mfa ablate PLAN --data NAME --seeds N``: train and score every row of a table."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

from mfa import presets
from mfa.cli.options import (
    DataRoot,
    Device,
    Json,
    Threads,
    Within,
    command,
    print_json,
    read_data,
    say,
    set_threads,
)
from mfa.errors import InputError


def ablate(
    plan: str,
    /,
    computing: Device,
    data: str = "synthetic",
    data_root: DataRoot = None,
    preset: str = "demo",
    epochs: Annotated[int | None, Within(1, 100_000)] = None,
    set: tuple[str, ...] = (),
    seeds: Annotated[int, Within(1, 1000)] = 1,
    out: Path | None = None,
    reuse: tuple[Path, ...] = (),
    rows: Path | None = None,
    threads: Threads = None,
    dry_run: bool = False,
    json: Json = False,
) -> None:
    """Run a plan: print what it will take, run what is not finished, write tidy rows.

    Args:
        plan: default, variants, table2, table3, modules, gate-and-gla, competing-and-gla, switches,
            peers, or a JSON file.
        data: Dataset to train and score on.
        preset: Preset the rows are derived from.
        epochs: Epochs of every row; by default the preset's.
        set: Further fields of every row: FIELD=VALUE, as in optim.lr=0.0005 model.weights=FILE.
        seeds: How many seeds, from 0; at most 1,000.
        out: Folder of the runs; by default runs/ablate/PLAN-DATA.
        reuse: Folders of other plans' runs; what is finished there of the same configuration, seed
            and data is not run again. Table 3, for one, shares its baseline with Table 2.
        rows: CSV file to write the rows to; by default rows.csv in the folder of the runs.
        dry_run: Only print the plan and its time.
    """
    from mfa.ablation import estimate, load_plan, run_plan
    from mfa.ablation.runner import waiting
    from mfa.ablation.significance import with_tests
    from mfa.config import derive
    from mfa.files import csv_text, write_atomically

    set_threads(threads)
    base = derive(presets.get(preset), dict(map(setting, set)))
    if epochs is not None:
        base = derive(base, {"optim.epochs": epochs})
    planned = load_plan(plan, base)
    dataset = read_data(data, data_root)
    folder = out or Path("runs/ablate") / f"{Path(plan).stem}-{dataset.name}"
    left = waiting(planned, range(seeds), dataset, folder, reuse=reuse)
    seconds = estimate([row for row in planned if left[row.name]], dataset, device=computing.device)
    seconds["runs left"] = [left[name] for name in seconds["row"]]
    if len(seconds):
        shown = seconds.drop(columns="fault")
        say(*shown.to_string(index=False, float_format="%.1f").split("\n"))
    for line in seconds[seconds["fault"] != ""].to_dict("records"):
        say(f"{line['row']} cannot be trained: {line['fault']}")
    minutes = (seconds["seconds"] * seconds["runs left"]).sum() / 60
    done = len(planned) * seeds - sum(left.values())
    say(
        f"{len(planned)} rows x {seeds} seeds, {done} of them finished: "
        f"about {minutes:.0f} minutes for the rest"
    )
    if dry_run:
        return
    outcomes = []
    file = rows or folder / "rows.csv"
    how = {"device": computing.device, "precision": computing.precision}
    for outcome in run_plan(planned, range(seeds), dataset, folder, reuse=reuse, **how):
        outcomes.append(outcome)
        state = outcome.failure or ("done before" if outcome.skipped else "done")
        score = f"  mAP {outcome.figures['mAP']:.2f}" if outcome.figures else ""
        say(f"{outcome.row}, seed {outcome.seed}: {state}{score}")
        if outcome.figures:
            write_atomically(file, csv_text(with_tests(outcomes)))
    if json:
        print_json({"rows": [outcome.figures for outcome in outcomes]})
    if any(outcome.figures for outcome in outcomes):
        say(f"rows in {file}")
    failed = [f"{o.row} (seed {o.seed}): {o.failure}" for o in outcomes if o.failure]
    if failed:
        raise InputError(f"{len(failed)} of {len(outcomes)} runs failed: {', '.join(failed)}")


def setting(word: str) -> tuple[str, object]:
    """``optim.lr=0.01`` as field and value; the value is JSON, or else the text itself."""
    name, equals, text = word.partition("=")
    if not equals:
        raise InputError(f"--set takes FIELD=VALUE, such as optim.lr=0.001, got {word!r}")
    try:
        return name, json_module.loads(text)
    except json_module.JSONDecodeError:
        return name, text


main = command("mfa ablate", ablate)
