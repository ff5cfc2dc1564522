"""``mfa-viz grid RUN...``: the first ranks of some queries, as PNG, PDF and SVG."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from mfa.errors import InputError


@dataclass(frozen=True)
class Options:
    """Draw a rank grid of one run, or of several one under another.

    Green frame and tick: a match. Dashed red frame and cross: somebody else. Grey: not counted.
    """

    runs: tyro.conf.Positional[tuple[str, ...]]
    """Folders of runs, or their names under runs/; the first one chooses the queries."""
    out: Path | None = None
    """Path of the files without their ending; by default FIRST RUN/figures/grid-QUERIES."""
    queries: tuple[str, ...] = ("worst",)
    """worst (lowest AP), first_error (first answer wrong), random, or positions in the list."""
    count: int = 4
    """How many queries, where they are not given one by one."""
    k: int = 10
    """Ranks shown."""
    data: str | None = None
    """Dataset to score on; by default the one the first run was trained on."""
    data_root: Path | None = None
    """Folder the datasets lie in; by default MFA_DATA, else data."""
    flip: bool = False
    """Mean the embeddings of each picture and its mirror image."""
    include_junk: bool = False
    """Show the pictures the metric left out where they fall, greyed."""
    width: Literal["single", "double"] = "double"
    """Columns of a journal page."""
    seed: int = 0
    """Of the random choice."""
    blur_faces: bool = False
    """Coarsen the top of every picture, where the head of a whole person is. No face is looked for:
    in a badly cut picture it may lie lower. Look before you publish."""


def main(argv: list[str]) -> None:
    """Parse, score, draw, name the files."""
    options = tyro.cli(Options, prog="mfa-viz grid", args=argv)
    if not options.runs:
        raise InputError("name a run: mfa-viz grid RUN")
    from mfa.evaluation import evaluate, resolve
    from mfa.runs import open_run
    from viz import captions
    from viz.figures import save
    from viz.grids import rank_grid

    runs = [open_run(path) for path in options.runs]
    data = resolve(runs[0], options.data, options.data_root)
    results = {run.name: evaluate(run, data, flip=options.flip, progress=True) for run in runs}
    figure = rank_grid(
        results if len(runs) > 1 else results[runs[0].name],
        data,
        _queries(options.queries),
        options.k,
        include_junk=options.include_junk,
        count=options.count,
        seed=options.seed,
        width=options.width,
        hide_face=options.blur_faces,
    )
    folder = runs[0].path or Path()
    stem = options.out or folder / "figures" / f"grid-{'-'.join(options.queries)}"
    for path in save(figure, stem, caption=captions.results(results)):
        print(path)
    for name, result in results.items():
        print(f"{name}: mAP {100 * result.mAP:.2f} on {data.name}", file=sys.stderr)


def _queries(words: tuple[str, ...]) -> Literal["worst", "first_error", "random"] | list[int]:
    if words in (("worst",), ("first_error",), ("random",)):
        return words[0]
    try:
        return [int(word) for word in words]
    except ValueError:
        raise InputError(
            f"--queries is worst, first_error, random or numbers, got {' '.join(words)!r}"
        ) from None
