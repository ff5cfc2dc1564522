"""``mfa ablate PLAN --data NAME --seeds N``: train and score every row of a table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import tyro

from mfa import presets
from mfa.cli.options import Computing, read_data, say, set_threads
from mfa.errors import InputError

MAX_SEEDS = 1_000


@dataclass(frozen=True)
class Options:
    """Run a plan: print what it will take, run what is not finished, write tidy rows."""

    plan: tyro.conf.Positional[str]
    """default, variants, table2, table3, modules, gate-and-gla,
    competing-and-gla, switches, peers, or a JSON file."""
    computing: tyro.conf.OmitArgPrefixes[Computing]
    data: str = "synthetic"
    """Dataset to train and score on."""
    data_root: Path | None = None
    """Folder the datasets lie in; by default MFA_DATA, else data."""
    preset: str = "demo"
    """Preset the rows are derived from."""
    epochs: int | None = None
    """Epochs of every row; by default the preset's."""
    set: tuple[str, ...] = ()
    """Further fields of every row: FIELD=VALUE, as in optim.lr=0.0005 model.weights=FILE."""
    seeds: int = 1
    """How many seeds, from 0; at most 1,000."""
    out: Path | None = None
    """Folder of the runs; by default runs/ablate/PLAN-DATA."""
    reuse: tuple[Path, ...] = ()
    """Folders of other plans' runs; what is finished there of the same configuration, seed and
    data is not run again. Table 3, for one, shares its baseline with Table 2."""
    rows: Path | None = None
    """CSV file to write the rows to; by default rows.csv in the folder of the runs."""
    threads: int | None = None
    """Threads PyTorch computes with; by default all cores."""
    dry_run: bool = False
    """Only print the plan and its time."""
    json: bool = False
    """Print the rows as one JSON object."""


def main(argv: list[str]) -> None:
    """Parse, announce, run, write.

    Raises:
        InputError: nothing could be run, or rows failed (after all others were run).
    """
    options = tyro.cli(Options, prog="mfa ablate", args=argv)
    from mfa.ablation import estimate, load_plan, run_plan
    from mfa.ablation.runner import waiting
    from mfa.ablation.significance import with_tests
    from mfa.config import derive
    from mfa.files import csv_text, write_atomically

    if not 1 <= options.seeds <= MAX_SEEDS:
        raise InputError(f"--seeds is 1 to {MAX_SEEDS:,}, got {options.seeds:,}")
    set_threads(options.threads)
    base = derive(presets.get(options.preset), dict(map(setting, options.set)))
    if options.epochs is not None:
        base = derive(base, {"optim.epochs": options.epochs})
    rows = load_plan(options.plan, base)
    data = read_data(options.data, options.data_root)
    folder = options.out or Path("runs/ablate") / f"{Path(options.plan).stem}-{data.name}"
    seeds = range(options.seeds)
    left = waiting(rows, seeds, data, folder, reuse=options.reuse)
    seconds = estimate(
        [row for row in rows if left[row.name]], data, device=options.computing.device
    )
    seconds["runs left"] = [left[name] for name in seconds["row"]]
    if len(seconds):
        shown = seconds.drop(columns="fault")
        say(shown.to_string(index=False, float_format="%.1f"))
    for line in seconds[seconds["fault"] != ""].to_dict("records"):
        say(f"{line['row']} cannot be trained: {line['fault']}")
    minutes = (seconds["seconds"] * seconds["runs left"]).sum() / 60
    done = len(rows) * len(seeds) - sum(left.values())
    say(
        f"{len(rows)} rows x {len(seeds)} seeds, {done} of them finished: "
        f"about {minutes:.0f} minutes for the rest"
    )
    if options.dry_run:
        return
    outcomes = []
    file = options.rows or folder / "rows.csv"
    arriving = run_plan(
        rows,
        seeds,
        data,
        folder,
        reuse=options.reuse,
        device=options.computing.device,
        precision=options.computing.precision,
    )
    for outcome in arriving:
        outcomes.append(outcome)
        state = outcome.failure or ("done before" if outcome.skipped else "done")
        score = f"  mAP {outcome.figures['mAP']:.2f}" if outcome.figures else ""
        say(f"{outcome.row}, seed {outcome.seed}: {state}{score}")
        if outcome.figures:
            write_atomically(file, csv_text(with_tests(outcomes)))
    if options.json:
        print(json.dumps({"rows": [outcome.figures for outcome in outcomes]}))
    if any(outcome.figures for outcome in outcomes):
        say(f"rows in {file}")
    failed = [outcome for outcome in outcomes if outcome.failure]
    if failed:
        names = ", ".join(f"{o.row} (seed {o.seed}): {o.failure}" for o in failed)
        raise InputError(f"{len(failed)} of {len(outcomes)} runs failed: {names}")


def setting(word: str) -> tuple[str, object]:
    """``optim.lr=0.01`` as field and value; the value is JSON, or else the text itself.

    Raises:
        InputError: no equals sign.
    """
    name, equals, text = word.partition("=")
    if not equals:
        raise InputError(f"--set takes FIELD=VALUE, such as optim.lr=0.001, got {word!r}")
    try:
        return name, json.loads(text)
    except json.JSONDecodeError:
        return name, text
