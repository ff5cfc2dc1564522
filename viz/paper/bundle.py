"""``NAME.bundle.json``: what a figure or table of the paper shows and rests on.

``mfa verify NAME.bundle.json`` reads it: hashes of the files, the numbers that are drawn, hashes of
runs, datasets and measured rows, versions, and the command that makes it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mfa.files import write_atomically
from mfa.runs.provenance import stamp
from viz.paper.inputs import CaptionedFigure, PaperInputs
from viz.tables import Table


def write_bundle(
    stem: Path,
    made: CaptionedFigure | Table,
    files: Sequence[Path],
    inputs: PaperInputs,
    command: Sequence[str],
) -> Path:
    """Write the bundle of what was made beside its ``files``; its path."""
    if isinstance(made, Table):
        numbers: Any = [[cell.text for cell in row] for row in made.rows]
    else:
        numbers = drawn_numbers(made.figure)
    content = {
        "name": stem.name,
        "command": list(command),
        "versions": stamp(),
        "inputs": inputs.hashes(rows=stem.name.startswith(("table", "bars"))),
        "files": {path.name: _hash(path.read_bytes()) for path in files},
        "numbers": numbers,
    }
    path = stem.with_name(f"{stem.name}.bundle.json")
    write_atomically(path, json.dumps(content, indent=1) + "\n")
    return path


def drawn_numbers(figure: Figure) -> list[dict[str, Any]]:
    """What the axes of a figure show, in their order; pictures and maps as hashes."""
    return [{name: shown for name, shown in _of(ax).items() if shown} for ax in figure.axes]


def _of(ax: Axes) -> dict[str, list[Any]]:
    images: list[Any] = [np.ma.asarray(image.get_array()) for image in ax.images]
    bars = [patch.get_bbox().bounds for patch in ax.patches if isinstance(patch, Rectangle)]
    return {
        "lines": [np.asarray(line.get_xydata(), dtype=float).tolist() for line in ax.lines],
        "bars": np.asarray(bars, dtype=float).tolist(),
        "points": [np.ma.filled(dots.get_offsets(), np.nan).tolist() for dots in ax.collections],
        "images": [_hash(image.filled(0).tobytes()) for image in images],
        "words": [text.get_text() for text in (ax.title, *ax.texts) if text.get_text()],
    }


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
