"""Writes the counterparts of the paper's figures and tables, each with its caption."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mfa.errors import InputError
from mfa.files import write_atomically
from mfa.progress import remark
from viz import theme
from viz.export import save
from viz.paper import ablation_tables, captions, figures, tables
from viz.paper.arrangement import Arrangement, arranged
from viz.paper.bundle import write_bundle
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


def build_paper(
    inputs: PaperInputs,
    out: Path,
    only: Sequence[str] = (),
    *,
    tables: Arrangement | None = None,
    style: Mapping[str, Any] | None = None,
    command: Sequence[str] = (),
) -> tuple[Written, ...]:
    """Make the items one after another; one that cannot be made does not stop the others.

    Figures come as PDF, SVG and PNG with ``NAME.tex`` (environment and caption),
    ``NAME.caption.md`` and ``NAME.details.md``; tables as LaTeX, Markdown and CSV. Each has its
    ``NAME.bundle.json`` for ``mfa verify``. ``README.md`` in the folder lists them.

    Args:
        inputs: runs, datasets and options.
        out: folder to write to.
        only: names of the items to make; empty makes all.
        tables: rows, columns, names and citations of every table.
        style: settings of ``viz.theme.read_style``, laid over the project's.
        command: words of ``mfa-viz figures`` that make all this again, for the bundles.

    Raises:
        InputError: an unknown name, a row or column that no table has, or a place that cannot be
            written.
    """
    unknown = [name for name in only if name not in ITEMS]
    if unknown:
        raise InputError(f"no figure or table {unknown[0]!r}; there are {', '.join(ITEMS)}")
    asked = tables or Arrangement()
    done: list[Written] = []
    seen: list[Table] = []
    for name in only or ITEMS:
        remark(f"{name} ...")
        try:
            with theme.theme(dict(style or {})):
                made = ITEMS[name](inputs)
                if isinstance(made, Table):
                    seen.append(made)
                    files = arranged(made, asked).save(out / name)
                else:
                    files = _save(name, made, out, inputs.blur_faces)
                files = (*files, write_bundle(out / name, made, files, inputs, command))
        except InputError as error:
            remark(f"{name} left out: {error}")
            done.append(Written(name, (), str(error)))
        else:
            done.append(Written(name, files))
    listing = "\n".join(_line(written) for written in done)
    heading = "# Counterparts of the paper's figures and tables"
    write_atomically(out / "README.md", f"{heading}\n\n{listing}\n")
    if seen and (missing := asked.unknown_to(seen)):
        names = {row[0].text for table in seen for row in table.rows}
        raise InputError(
            f"no table has a row or column {missing[0]!r}", f"rows are {', '.join(sorted(names))}"
        )
    return tuple(done)


def _save(name: str, made: CaptionedFigure, out: Path, blurred: bool) -> tuple[Path, ...]:
    if blurred and name.startswith("fig"):
        made = replace(made, caption=made.caption + captions.HIDDEN)
    files = save(made.figure, out / name, caption=made.caption, details=made.details)
    width = made.figure.get_size_inches()[0]
    environment = "figure" if width <= theme.INCHES["ieee-single"] else "figure*"
    lines = [
        rf"\begin{{{environment}}}",
        r"\centering",
        rf"\includegraphics[width={width:.2f}in]{{{name}.pdf}}",
        rf"\caption{{{latex(made.caption)}}}",
        rf"\label{{fig:{name}}}",
        rf"\end{{{environment}}}",
    ]
    write_atomically(out / f"{name}.tex", "\n".join(lines) + "\n")
    return (*files, out / f"{name}.tex")


def _line(written: Written) -> str:
    if written.why_not:
        return f"- {written.name}: left out. {written.why_not}"
    return f"- {written.name}: {', '.join(path.name for path in written.files)}"
