"""``mfa bench``: what the package's speed is, as ratios."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

KEPT = Path("runs/bench.json")
"""Where ``all`` keeps what it measured, unless told otherwise."""


@dataclass(frozen=True)
class Args:
    """Measure speed as ratios, with the machine and the date."""

    name: tyro.conf.Positional[str]
    """A bench, or all."""
    repeats: int = 5
    """Timed turns; figures are medians."""
    features: Path | None = None
    """A feature file to score instead of made-up features (evaluator)."""
    output: Path | None = None
    """Keep the JSON in this file; all keeps it in runs/bench.json by itself."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON object."""


def main(argv: list[str]) -> None:
    """Measure as ``argv`` says."""
    args = tyro.cli(Args, args=argv, prog="mfa bench")
    from mfa import bench

    measured: dict[str, Any] = bench.stamp()
    if args.name == "all":
        measured["benches"] = bench.run_all(repeats=args.repeats)
    else:
        options = {"features": args.features} if args.features else {}
        measured |= {
            "bench": args.name,
            **bench.run(args.name, repeats=args.repeats, options=options),
        }
    output = args.output or (KEPT if args.name == "all" else None)
    if output:
        bench.keep(measured, output)
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
    return lines


def _word(met: bool) -> str:
    return "met" if met else "MISSED"
