"""``mfa-viz figures --run RUN... --out DIR``: the paper's figures and tables, from your runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from mfa.cli.options import Computing
from mfa.errors import InputError
from viz.cli.options import BlurFaces, DataRoot, Width


@dataclass(frozen=True)
class Options:
    """Write the counterpart of each figure and table of the paper, with captions.

    Published, measured and unverified numbers look different. What was not run stays empty. Without
    --only, what cannot be made is left out; an item that --only names must be made.
    """

    run: tuple[str, ...]
    """Runs (folders, or names under runs/); all are compared, figures of one model show the
    first."""
    out: Path
    """Folder to write to."""
    computing: tyro.conf.OmitArgPrefixes[Computing]
    only: str | None = None
    """Names to make, separated by commas, e.g. fig4,table3; by default all."""
    width: Width = "double"
    data: str | None = None
    """Dataset of figures 4, 6 and 7; by default the one the first run was trained on."""
    data_root: DataRoot = None
    results: Path | None = None
    """Folder of measured ablation rows; by default data/results."""
    queries: tuple[int, ...] = ()
    """Queries of figures 4, 6 and 7 by position; by default chosen by masks and by the result."""
    method: str = "HiResCAM"
    """Weighting of the maps; GradCAM is the paper's, but leaves many maps under GeM empty."""
    reference: int = 32
    """Gallery pictures whose mean map is subtracted, so that what all pictures have does not hide
    what this one has; 0 subtracts nothing."""
    blur_faces: BlurFaces = False
    rows: tuple[str, ...] = ()
    """Rows of the tables by name, kept in this order; by default all."""
    columns: tuple[str, ...] = ()
    """Columns of the tables by heading, kept in this order; by default all. "source" keeps the
    numbers of the sources."""
    names: tuple[str, ...] = ()
    """Other names for rows and headings: anchored="MFA (ours)" "Market-1501=Market"."""
    cite: tuple[str, ...] = ()
    """Citation keys of rows, for LaTeX: PCB=sun2018."""
    skip_empty: bool = False
    """Leave out rows of the tables without a number."""
    significance: bool = False
    """Mark measured numbers of tables 2 and 3 with the stars of their test."""
    style: Path | None = None
    """Style file of matplotlib (.mplstyle) for all figures; what it leaves out stays as it is."""


def main(argv: list[str]) -> None:
    """Parse, make, name the files; what was left out goes to stderr."""
    options = tyro.cli(Options, prog="mfa-viz figures", args=argv)
    from viz import theme
    from viz.paper.arrangement import Arrangement
    from viz.paper.build import build_paper
    from viz.paper.inputs import PaperInputs
    from viz.paper.published import DATA

    style = {} if options.style is None else theme.read_style(options.style)
    tables = Arrangement(
        options.rows,
        options.columns,
        _pairs(options.names, "--names"),
        _pairs(options.cite, "--cite"),
        options.skip_empty,
    )
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
        significance=options.significance,
    )
    only = [name.strip() for name in (options.only or "").split(",") if name.strip()]
    done = build_paper(
        inputs, options.out, only, tables=tables, style=style, command=["figures", *argv]
    )
    for written in done:
        for path in written.files:
            print(path)
    left = [written.name for written in done if written.why_not]
    words = f"; left out: {', '.join(left)}" if left else ""
    print(f"{len(done) - len(left)} of {len(done)} made{words}", file=sys.stderr)
    if only and left:
        raise InputError(f"not made: {', '.join(left)}", "see above why")


def _pairs(words: tuple[str, ...], option: str) -> dict[str, str]:
    """``OLD=NEW`` by OLD."""
    found = {}
    for word in words:
        old, equals, new = word.partition("=")
        if not (old and equals):
            raise InputError(f"{option} takes OLD=NEW, got {word!r}", f"write {option} PCB=NAME")
        found[old] = new
    return found
