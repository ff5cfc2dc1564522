"""``mfa-viz bench WHAT``: how fast what is drawn is drawn."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

MEASUREMENTS: Mapping[str, tuple[str, int]] = {
    "cam": ("viz.bench.cam", 5),
    "grid": ("viz.bench.grid", 20),
    "apps": ("viz.bench.apps", 5),
}
"""name: (module, the repeats it takes by default)."""

KEPT = Path("runs/bench-viz.json")
"""Where ``all`` keeps what it measured, unless told otherwise."""


@dataclass(frozen=True)
class Options:
    """Measure the speed of what is drawn, with the machine and the date; medians.

    cam: four branch maps and the fused one, against a forward pass and pytorch-grad-cam.
    grid: the first ten ranks as the apps show them, Market-1501's size.
    apps: seconds from a change in an app to its picture.
    """

    what: tyro.conf.Positional[Literal["cam", "grid", "apps", "all"]]
    """The measurement."""
    repeats: int | None = None
    """How often each thing is timed; by default enough for a figure to quote."""
    output: Path | None = None
    """Keep the JSON in this file; all keeps it in runs/bench-viz.json by itself."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Print one JSON object on stdout."""


def main(argv: list[str]) -> None:
    """Parse, measure, keep, print."""
    options = tyro.cli(Options, prog="mfa-viz bench", args=argv)
    from benchmarks import mfa_bench
    from mfa.cli.bench import table

    benches = {name: module for name, (module, _) in MEASUREMENTS.items()}
    measured: dict[str, Any] = mfa_bench.stamp()
    if options.what == "all":
        measured["benches"] = {name: _one(name, benches, options) for name in benches}
    else:
        measured |= {"bench": options.what, **_one(options.what, benches, options)}
    output = options.output or (KEPT if options.what == "all" else None)
    if output:
        mfa_bench.keep(measured, output)
    if options.json_:
        print(json.dumps(measured))
        return
    for name, values in measured.get("benches", {options.what: measured}).items():
        print("\n".join(table(name, values)))


def _one(name: str, benches: Mapping[str, str], options: Options) -> dict[str, Any]:
    from benchmarks import mfa_bench

    print(f"bench {name} ...", file=sys.stderr, flush=True)
    repeats = MEASUREMENTS[name][1] if options.repeats is None else options.repeats
    return mfa_bench.run(name, benches, repeats=repeats)
