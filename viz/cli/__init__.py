"""The ``mfa-viz`` command: what draws, as a table of subcommands loaded when called."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from mfa.cli import run

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("viz.cli.demo", "run the quickstart notebook and keep what it made"),
    "maps": ("viz.cli.maps", "what each branch looks at, for chosen pictures"),
    "grid": ("viz.cli.grid", "the first ranks of chosen queries, one run or several"),
    "attention": ("viz.cli.attention", "where the branches look, in numbers"),
    "curves": ("viz.cli.curves", "how a training went"),
    "charts": ("viz.cli.charts", "a score in charts: CMC, pairs, thresholds, cameras, branches"),
    "data": ("viz.cli.data", "what a dataset looks like: people, cameras, samples"),
    "figures": ("viz.cli.figures", "the paper's figures and tables, from your runs"),
    "app": ("viz.cli.app", "the interactive apps as a web page"),
}
"""name: (module with ``main(argv)``, one line)."""


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run("mfa-viz", COMMANDS, sys.argv[1:]))
