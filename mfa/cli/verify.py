"""``mfa verify [ROW ...]``: recompute rows of ``data/results`` and name every digit that moved."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import tyro

from mfa.cli.options import DataRoot, Within, command, set_threads
from mfa.files import shipped
from mfa.progress import answer


def verify(
    rows: tyro.conf.Positional[tuple[str, ...]] = ("all",),
    quick: bool = False,
    derived: bool = False,
    data_root: DataRoot = None,
    results: Path | None = None,
    threads: Annotated[int, Within(1, 1024)] = 1,
) -> None:
    """Recompute rows of data/results and name every digit that moved; status 1 if one did.

    A row is checked as far as this machine can: tests and verdicts that follow from other rows
    always, scores where dataset and weights are there, by training again.

    Args:
        rows: all, a table such as table2-synthetic, a row such as table2-synthetic/Baseline-s0, or
            the bundle of a figure: fig4.bundle.json.
        quick: Leave out trainings of more than two minutes.
        derived: Train nothing and draw nothing: check what follows from other rows, and files'
            hashes.
        results: Folder of the tables; by default data/results.
        threads: Threads PyTorch computes with; the tables were made with one.
    """
    from mfa.ablation.recompute import recompute
    from mfa.cli.verify_bundle import moved as moved_in_bundle

    set_threads(threads)
    unchecked, cells, moved, checked = Counter[tuple[str, str]](), 0, 0, 0
    bundles = [word for word in rows if word.endswith(".bundle.json")]
    for bundle in bundles:
        said = list(moved_in_bundle(Path(bundle), again=not derived))
        answer(*(f"{bundle}: {words}" for words in said or ["as it was drawn"]))
        moved += bool(said)
    if len(bundles) == len(rows):
        sys.exit(bool(moved))
    with tempfile.TemporaryDirectory() as work:
        for row in recompute(
            results or shipped("data/results"),
            [word for word in rows if word not in bundles],
            Path(work),
            root=data_root,
            quick=quick,
            train=not derived,
        ):
            cells += row.same + len(row.moved)
            checked += bool(row.same or row.moved)
            moved += bool(row.moved)
            for column, (stored, found) in row.moved.items():
                answer(f"{row.name}: {column} is {stored}, recomputed {found}")
            if row.needs:
                unchecked[row.name.partition("/")[0], row.needs] += 1
    for (table, needs), count in unchecked.items():
        answer(f"{table}: {count:,} rows not checked: needs {needs}")
    answer(f"{checked:,} rows checked in {cells:,} cells, {moved:,} moved")
    sys.exit(bool(moved))


main = command("mfa verify", verify)
