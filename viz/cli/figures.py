"""``mfa-viz figures --run RUN... --out DIR``: the paper's figures and tables, from your runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from mfa.cli.options import DataRoot, Device, Pictures, Words, command, say
from mfa.errors import InputError
from mfa.progress import answer
from viz.cli.options import BlurFaces, Reference, Width


def figures(
    *,
    run: tuple[str, ...],
    out: Path,
    computing: Device,
    only: str | None = None,
    width: Width = "double",
    data: str | None = None,
    data_root: DataRoot = None,
    results: Path | None = None,
    queries: Annotated[tuple[int, ...], Pictures] = (),
    method: str = "HiResCAM",
    reference: Reference = 32,
    blur_faces: BlurFaces = False,
    rows: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
    names: tuple[str, ...] = (),
    cite: tuple[str, ...] = (),
    skip_empty: bool = False,
    significance: bool = False,
    style: Path | None = None,
    argv: Words = (),
) -> None:
    """Write the counterpart of each figure and table of the paper, with captions.

    Published, measured and unverified numbers look different. What was not run stays empty. Without
    --only, what cannot be made is left out; an item that --only names must be made.

    Args:
        run: Runs (folders, or names under runs/); all are compared, figures of one model show the
            first.
        out: Folder to write to.
        only: Names to make, separated by commas, e.g. fig4,table3; by default all.
        data: Dataset of figures 4, 6 and 7; by default the one the first run was trained on.
        results: Folder of measured ablation rows; by default data/results.
        queries: Queries of figures 4, 6 and 7 by position; by default chosen by masks and by the
            result.
        method: Weighting of the maps; GradCAM is the paper's, but leaves many maps under GeM empty.
        rows: Rows of the tables by name, kept in this order; by default all.
        columns: Columns of the tables by heading, kept in this order; by default all. "source"
            keeps the numbers of the sources.
        names: Other names for rows and headings: anchored="MFA (ours)" "Market-1501=Market".
        cite: Citation keys of rows, for LaTeX: PCB=sun2018.
        skip_empty: Leave out rows of the tables without a number.
        significance: Mark measured numbers of tables 2 and 3 with the stars of their test.
        style: Style file of matplotlib (.mplstyle) for all figures; what it leaves out stays as it
            is.
        argv: The words of the command, for the bundles.
    """
    from viz import theme
    from viz.paper.arrangement import Arrangement
    from viz.paper.build import build_paper
    from viz.paper.inputs import PaperInputs
    from viz.paper.published import DATA

    look = {} if style is None else theme.read_style(style)
    renamed, cited = _pairs(names, "--names"), _pairs(cite, "--cite")
    inputs = PaperInputs(
        runs=tuple(computing.open(path) for path in run),
        data=data,
        data_root=data_root,
        results=results or DATA / "results",
        width=width,
        queries=queries,
        method=method,
        reference=reference,
        blur_faces=blur_faces,
        significance=significance,
    )
    items = [name.strip() for name in (only or "").split(",") if name.strip()]
    tables = Arrangement(rows, columns, renamed, cited, skip_empty)
    words = ("figures", *argv)
    done = build_paper(inputs, out, items, tables=tables, style=look, command=words)
    for written in done:
        answer(*map(str, written.files))
    left = ", ".join(written.name for written in done if written.why_not)
    made = sum(not written.why_not for written in done)
    say(f"{made} of {len(done)} made{left and f'; left out: {left}'}")
    if items and left:
        raise InputError(f"not made: {left}", "see above why")


def _pairs(words: tuple[str, ...], option: str) -> dict[str, str]:
    """``OLD=NEW`` by OLD."""
    found = {}
    for word in words:
        old, equals, new = word.partition("=")
        if not (old and equals):
            raise InputError(f"{option} takes OLD=NEW, got {word!r}", f"write {option} PCB=NAME")
        found[old] = new
    return found


main = command("mfa-viz figures", figures)
