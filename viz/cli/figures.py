"""``mfa-viz figures --run RUN... --out DIR``: the paper's figures and tables, from your runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from viz.cli.options import Computing


@dataclass(frozen=True)
class Options:
    """Write the counterpart of each figure and table of the paper, with captions.

    Published figures, measured ones and those nobody verified are told apart; what was not run
    stays empty; what cannot be made is said and left out.
    """

    run: tuple[str, ...]
    """Runs (folders, or names under runs/); the first one is the subject, all are compared."""
    out: Path
    """Folder to write to."""
    computing: tyro.conf.OmitArgPrefixes[Computing]
    only: str | None = None
    """Names to make, separated by commas, e.g. fig4,table3; by default all."""
    width: str = "double"
    """single, double, or one of a venue: cvpr-single, cvpr-double, ieee-single, ieee-double.
    Columns of a page."""
    data: str | None = None
    """Dataset of figures 4, 6 and 7; by default the one the first run was trained on."""
    data_root: Path | None = None
    """Folder the datasets lie in; by default MFA_DATA, else data."""
    results: Path | None = None
    """Folder of measured ablation rows; by default data/results."""
    queries: tuple[int, ...] = ()
    """Queries of figures 4, 6 and 7 by position; by default chosen by masks and by the result."""
    method: str = "HiResCAM"
    """Weighting of the maps; GradCAM is the paper's, but leaves many maps under GeM empty."""
    reference: int = 32
    """Gallery pictures whose mean map is taken off, so that what every picture has does not hide
    what this one has; 0 takes nothing off."""
    blur_faces: bool = False
    """Coarsen the top of every picture, where the head of a whole person is. No face is looked for:
    in a badly cut picture it may lie lower. Look before you publish."""


def main(argv: list[str]) -> None:
    """Parse, make, name the files; what was left out goes to stderr."""
    options = tyro.cli(Options, prog="mfa-viz figures", args=argv)
    from viz.paper.build import build_paper
    from viz.paper.inputs import PaperInputs
    from viz.paper.published import DATA

    inputs = PaperInputs(
        runs=tuple(options.computing.open(path) for path in options.run),
        data=options.data,
        data_root=options.data_root,
        results=options.results or DATA / "results",
        width=options.width,
        queries=options.queries,
        method=options.method,
        reference=options.reference,
        blur_faces=options.blur_faces,
    )
    only = [name.strip() for name in (options.only or "").split(",") if name.strip()]
    done = build_paper(inputs, options.out, only)
    for written in done:
        for path in written.files:
            print(path)
    left = [written.name for written in done if written.why_not]
    words = f"; left out: {', '.join(left)}" if left else ""
    print(f"{len(done) - len(left)} of {len(done)} made{words}", file=sys.stderr)
