"""``mfa bench``: what the package's speed is, as ratios."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from mfa.errors import InputError

KEPT = Path("runs/bench.json")
"""Where ``all`` keeps what it measured, unless told otherwise."""

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
    """Measure speed as ratios, with the machine and the date."""

    name: tyro.conf.Positional[str]
    """A bench, or all."""
    repeats: int = 5
    """Timed turns; figures are medians."""
    features: Path | None = None
    """A feature file to score instead of made-up features (evaluator)."""
    networks: tuple[str, ...] = ()
    """Fewer networks (models): presets such as agw or anchored; mfa is all of MFA's own."""
    output: Path | None = None
    """Keep the JSON in this file; all keeps it in runs/bench.json by itself."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON object."""


def main(argv: list[str]) -> None:
    """Measure as ``argv`` says.

    Raises:
        InputError: no such bench or network, or an option the bench does not take.
    """
    args = tyro.cli(Args, args=argv, prog="mfa bench")
    given = {"features": args.features, "networks": args.networks}
    options = {name: value for name, value in given.items() if value}
    if args.name == "all" and options:
        raise InputError(f"all takes no --{next(iter(options))}; name the bench it belongs to")
    from benchmarks import mfa_bench

    measured: dict[str, Any] = mfa_bench.stamp()
    if args.name == "all":
        measured["benches"] = mfa_bench.run_all(repeats=args.repeats)
    else:
        measured |= {
            "bench": args.name,
            **mfa_bench.run(args.name, repeats=args.repeats, options=options),
        }
    output = args.output or (KEPT if args.name == "all" else None)
    if output:
        mfa_bench.keep(measured, output)
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
        rows: as ``benchmarks.mfa_bench.compared.compared`` gives them.
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
