"""Writes the counterparts of the paper's figures and tables, each with its caption."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mfa.errors import InputError
from viz import theme
from viz.export import save
from viz.paper import ablation_tables, captions, figures, tables
from viz.paper.inputs import CaptionedFigure, PaperInputs
from viz.tables import Table, latex

ITEMS: Mapping[str, Callable[[PaperInputs], CaptionedFigure | Table]] = {
    "fig3": figures.fig3,
    "fig4": figures.fig4,
    "fig4-random": figures.fig4_random,
    "fig5": figures.fig5,
    "fig5-random": figures.fig5_random,
    "fig6": figures.fig6,
    "fig7": figures.fig7,
    "table1": tables.table1,
    "table2": ablation_tables.table2,
    "table3": ablation_tables.table3,
    "table4": tables.table4,
    "table5": tables.table5,
    "table6": tables.table6,
    "bars2": ablation_tables.bars2,
    "bars3": ablation_tables.bars3,
    "bars-variants": ablation_tables.bars_variants,
}
"""The paper's figures and tables by name; Figs. 1 and 2 are drawings of the network. Ours are the
controls (``-random``: the same maps from random weights) and the tables as bars."""


@dataclass(frozen=True)
class Written:
    """What became of one item.

    Attributes:
        name: of the item.
        files: written.
        why_not: why it could not be made; empty where it was.
    """

    name: str
    files: tuple[Path, ...]
    why_not: str = ""


def build_paper(inputs: PaperInputs, out: Path, only: Sequence[str] = ()) -> tuple[Written, ...]:
    """Make the items one after another; one that cannot be made does not stop the others.

    Figures come as PDF, SVG and PNG with ``NAME.tex`` (environment and caption) and
    ``NAME.caption.md``; tables as LaTeX, Markdown and CSV. ``README.md`` in the folder lists them.

    Raises:
        InputError: an unknown name, or a place that cannot be written.
    """
    unknown = [name for name in only if name not in ITEMS]
    if unknown:
        raise InputError(f"no figure or table {unknown[0]!r}; there are {', '.join(ITEMS)}")
    done = tuple(_one(name, inputs, out) for name in (only or ITEMS))
    listing = [_line(written) for written in done]
    text = "\n".join(["# Counterparts of the paper's figures and tables", "", *listing, ""])
    _write(out / "README.md", text)
    return done


def _one(name: str, inputs: PaperInputs, out: Path) -> Written:
    print(f"{name} ...", file=sys.stderr, flush=True)
    try:
        made = ITEMS[name](inputs)
    except InputError as error:
        print(f"{name} left out: {error}", file=sys.stderr)
        return Written(name, (), str(error))
    if isinstance(made, Table):
        return Written(name, made.save(out / name))
    if inputs.blur_faces and name.startswith("fig"):
        made = replace(made, caption=made.caption + captions.HIDDEN)
    files = save(made.figure, out / name, caption=made.caption)
    environment = out / f"{name}.tex"
    _write(environment, _tex(name, made))
    return Written(name, (*files, environment))


def _tex(name: str, made: CaptionedFigure) -> str:
    width = made.figure.get_size_inches()[0]
    environment = "figure" if width <= theme.INCHES["single"] else "figure*"
    return "\n".join(
        [
            rf"\begin{{{environment}}}",
            r"\centering",
            rf"\includegraphics[width={width:.2f}in]{{{name}.pdf}}",
            rf"\caption{{{latex(made.caption)}}}",
            rf"\label{{fig:{name}}}",
            rf"\end{{{environment}}}",
            "",
        ]
    )


def _line(written: Written) -> str:
    if written.why_not:
        return f"- {written.name}: left out. {written.why_not}"
    return f"- {written.name}: {', '.join(path.name for path in written.files)}"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
