"""``mfa verify [ROW ...]``: recompute rows of ``data/results`` and name every digit that moved."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import tyro

from mfa.cli.options import set_threads
from mfa.files import shipped


@dataclass(frozen=True)
class Options:
    """Recompute rows of data/results and name every digit that moved; status 1 if one did.

    A row is checked as far as this machine can: tests and verdicts that follow from other rows
    always, scores where dataset and weights are there, by training again.
    """

    rows: tyro.conf.Positional[tuple[str, ...]] = ("all",)
    """all, a table such as table2-synthetic, a row such as table2-synthetic/Baseline-s0, or the
    bundle of a figure: fig4.bundle.json."""
    quick: bool = False
    """Leave out trainings of more than two minutes."""
    derived: bool = False
    """Train nothing and draw nothing: check what follows from other rows, and files' hashes."""
    data_root: Path | None = None
    """Folder the datasets lie in; by default MFA_DATA, else data."""
    results: Path | None = None
    """Folder of the tables; by default data/results."""
    threads: int = 1
    """Threads PyTorch computes with; the tables were made with one."""


def main(argv: list[str]) -> None:
    """Recompute, print, and leave with status 1 where a digit moved."""
    options = tyro.cli(
        Options, args=argv, prog="mfa verify", config=(tyro.conf.FlagCreatePairsOff,)
    )
    from mfa.ablation.recompute import recompute
    from mfa.cli.verify_bundle import moved as moved_in_bundle

    set_threads(options.threads)
    unchecked, cells, moved, rows = Counter[tuple[str, str]](), 0, 0, 0
    bundles = [word for word in options.rows if word.endswith(".bundle.json")]
    for bundle in bundles:
        said = list(moved_in_bundle(Path(bundle), again=not options.derived))
        print("\n".join(f"{bundle}: {words}" for words in said or ["as it was drawn"]))
        moved += bool(said)
    if len(bundles) == len(options.rows):
        sys.exit(bool(moved))
    with tempfile.TemporaryDirectory() as work:
        for row in recompute(
            options.results or shipped("data/results"),
            [word for word in options.rows if word not in bundles],
            Path(work),
            root=options.data_root,
            quick=options.quick,
            train=not options.derived,
        ):
            cells += row.same + len(row.moved)
            rows += bool(row.same or row.moved)
            moved += bool(row.moved)
            for column, (stored, found) in row.moved.items():
                print(f"{row.name}: {column} is {stored}, recomputed {found}", flush=True)
            if row.needs:
                unchecked[row.name.partition("/")[0], row.needs] += 1
    for (table, needs), count in unchecked.items():
        print(f"{table}: {count:,} rows not checked: needs {needs}")
    print(f"{rows:,} rows checked in {cells:,} cells, {moved:,} moved")
    sys.exit(bool(moved))
