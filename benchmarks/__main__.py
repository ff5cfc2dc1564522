"""``python -m benchmarks NAME``: speed as ratios, with the machine and the date."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from benchmarks import harness
from mfa.errors import InputError

KEPT = Path("runs/bench.json")
"""Where ``all`` keeps what it measured, unless another file is named."""

OPTIONS = ("repeats", "features", "networks", "model")
"""What is handed to a bench."""

COLUMNS = {
    "parameters_m": "parameters (M)",
    "gmacs": "MACs (G)",
    "images_per_second_1": "images/s at 1",
    "images_per_second_64": "images/s at 64",
    "memory_mib": "MiB at 1",
    "memory_mib_64": "MiB at 64",
}
"""What the table of networks shows of a row, and what it calls it."""


@dataclass(frozen=True)
class Args:
    """Measure speed as ratios, with the machine and the date; prints every bound.

    evaluator, msmt17: scoring features. rerank: k-reciprocal re-ranking. scale: galleries up to a
    million. synthetic: drawing people. loading, train, extract: getting batches ready, training on
    them, embedding them. models: networks side by side. forward: ways to run MFA's forward pass.
    cam: maps of branches. pair: two pictures explained by masks. grid: a strip of ranks for the
    screen. apps: from a change in an app to its picture. memory: the most that each command holds.
    """

    name: tyro.conf.Positional[str]
    """A bench, or all."""
    repeats: int | None = None
    """Timed turns; by default enough for a figure to quote. Figures are medians."""
    features: Path | None = None
    """A feature file to score instead of made-up features (evaluator)."""
    networks: tuple[str, ...] = ()
    """Fewer networks (models): presets such as agw or anchored; mfa is all of MFA's own."""
    model: str | None = None
    """What is explained (pair): a run, or an external model as in mfa compare."""
    output: Path | None = None
    """Keep the JSON in this file; all keeps it in runs/bench.json by itself."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON object."""


def main(argv: list[str]) -> None:
    """Measure as ``argv`` says.

    Raises:
        InputError: there is no such bench or network, or the bench does not take an option.
    """
    args = tyro.cli(Args, args=argv, prog="python -m benchmarks")
    options = {name: getattr(args, name) for name in OPTIONS}
    options = {name: value for name, value in options.items() if value not in (None, ())}
    measured: dict[str, Any] = harness.stamp()
    if args.name == "all":
        if {*options} - {"repeats"}:
            raise InputError(f"all takes no --{max(options)}; name the bench it belongs to")
        measured["benches"] = harness.run_all(options)
    else:
        measured |= {"bench": args.name, **harness.run(args.name, options)}
    output = args.output or (KEPT if args.name == "all" else None)
    if output:
        harness.keep(measured, output)
    if args.json:
        print(json.dumps(measured))
        return
    for name, values in measured.get("benches", {args.name: measured}).items():
        print("\n".join(table(name, values)))


def table(name: str, values: dict[str, Any]) -> list[str]:
    """One bench as lines of text."""
    lines = [name]
    for key, value in values.items():
        if isinstance(value, (int, float, str)) and key != "bench":
            shown = f"{value:.4g}" if isinstance(value, float) else value
            target = values.get("targets", {}).get(key)
            verdict = "" if not target else f"   target {target['bound']}: {_word(target['met'])}"
            lines.append(f"  {key:20}{shown}{verdict}")
    return lines + (compared(values["models"]) if "models" in values else [])


def compared(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The networks of the bench ``models``, one line each, under a line of headings.

    Args:
        rows: as ``benchmarks.compared.compared`` gives them.
    """
    lines = [("network", *COLUMNS.values(), "published")]
    for name, row in rows.items():
        figures = [f"{row[key]:{'.4g' if row[key] < 1000 else '.0f'}}" for key in COLUMNS]
        lines.append((name, *figures, _stated(row["published"])))
    first, *widths, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
    return [
        "  ".join(["", name.ljust(first), *map(str.rjust, figures, widths), published]).rstrip()
        for name, *figures, published in lines
    ]


def _stated(published: Mapping[str, Any]) -> str:
    """What the literature states of a network, with its source."""
    if not published:
        return ""
    speed = (
        f", {published['fps']:g} images/s on {published['device']}" if "fps" in published else ""
    )
    return f"{published['parameters_m']:g} M{speed} ({published['source']})"


def _word(met: bool) -> str:
    return "met" if met else "MISSED"


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except InputError as error:
        sys.exit(f"error: {error}")
