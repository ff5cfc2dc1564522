"""``mfa explain``: are the maps worth anything? The repaint test and the passport of a rule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from mfa.cli.options import Computing

if TYPE_CHECKING:
    import pandas as pd

    from mfa.runs.run import Run

Name = Annotated[str, tyro.conf.Positional]


def repaint(
    run: Name,
    computing: tyro.conf.OmitArgPrefixes[Computing],
    persons: int = 100,
    methods: tuple[str, ...] = (),
    reference: int = 64,
    seed: int = 0,
    out: Path | None = None,
    json: bool = False,
) -> None:
    """Rank map rules: does the map of a difference lie on the one thing that was changed?

    Args:
        run: folder of the run, or its name under runs/.
        computing: device and precision.
        persons: drawn people, up to 100; each is shown with jacket, trousers, shoes, bag and hat
            changed.
        methods: weightings of pytorch-grad-cam by name; by default all but the slow ones.
        reference: drawn pictures whose mean map is subtracted; 0 for none.
        seed: of the drawing and the intervals.
        out: the table; by default RUN/explain/repaint.csv.
        json: print one JSON object instead of words.
    """
    from mfa.explain import weightings
    from mfa.explain.repaint import measure_repaint

    opened = computing.open(run)
    table = measure_repaint(
        opened,
        persons=persons,
        methods=methods or weightings.ARRAY_METHODS,
        reference=reference,
        seed=seed,
        progress=True,
    )
    shown = table[table["thing"] == "all"].drop(columns="thing")
    _finish(opened, table, shown, out, "repaint.csv", json)


def _finish(
    run: Run, table: pd.DataFrame, shown: pd.DataFrame, out: Path | None, name: str, json: bool
) -> None:
    """Write the table with the run's name and checkpoint in front, and print it."""
    from mfa.files import csv_text, write_atomically

    path = out or (run.path or Path()) / "explain" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    table.insert(0, "run", run.name)
    table.insert(1, "checkpoint", run.hash)
    write_atomically(path, csv_text(table.round(4)))
    if json:
        print(table.to_json(orient="records"))
        return
    print(shown.round(3).to_string(index=False))
    print(f"written to {path}")


ACTIONS = {"repaint": repaint}


def main(argv: list[str]) -> None:
    """Run one action."""
    tyro.extras.subcommand_cli_from_dict(
        ACTIONS,
        prog="mfa explain",
        args=argv,
        config=(tyro.conf.FlagCreatePairsOff,),
        description="Test what the maps of a run are worth.",
    )
