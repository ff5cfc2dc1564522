"""Options that several commands share, and how they write a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from mfa.cli.options import Pictures
from mfa.progress import answer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Width = Annotated[
    str,
    tyro.conf.arg(
        help="Columns of a page: single, double, or one of a venue: cvpr-single, cvpr-double, "
        "ieee-single, ieee-double."
    ),
]
BlurFaces = Annotated[
    bool,
    tyro.conf.arg(
        help="Coarsen the top of every picture, where the head of a whole person is. No face is "
        "looked for: in a badly cut picture it may lie lower. Look before you publish."
    ),
]
Reference = Annotated[
    int,
    Pictures,
    tyro.conf.arg(
        help="Gallery pictures whose mean map is subtracted, so that what all pictures have does "
        "not hide what this one has; 0 subtracts nothing and needs no gallery."
    ),
]


def write(figure: Figure, stem: Path, caption: str, details: str = "") -> None:
    """Save a figure with its words, and print the names of the files."""
    from viz.export import save

    answer(*map(str, save(figure, stem, caption=caption, details=details)))
