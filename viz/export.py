"""A figure as PNG, PDF and SVG: fonts inside, no date, the same bytes for the same figure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure

from mfa.errors import InputError
from viz import theme

Format = Literal["png", "pdf", "svg"]
FORMATS: tuple[Format, ...] = ("png", "pdf", "svg")

_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None, "Format": None, "Type": None},
}
"""What matplotlib would write of itself and of the hour, left out."""


def save(
    figure: Figure,
    stem: str | os.PathLike[str],
    formats: Sequence[Format] = FORMATS,
    *,
    caption: str = "",
) -> tuple[Path, ...]:
    """Write ``stem`` + ``.png`` (300 dots an inch), ``.pdf`` and ``.svg``; return the paths.

    The three are the same picture at the same size. Folders are made; a file is replaced whole. A
    caption, what the picture is true of, becomes ``stem`` + ``.caption.md``.

    Raises:
        InputError: an unknown format, or a place that cannot be written.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise InputError(f"no figure format {unknown[0]!r}; there are {', '.join(FORMATS)}")
    base = Path(stem)
    written = []
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        # The layout learns of its numbers' widths in drawing: the first format would have another.
        with theme.theme():
            figure.draw_without_rendering()
        for form in formats:
            path = base.with_name(f"{base.name}.{form}")
            part = path.with_name(f".{path.name}.part")
            with theme.theme():
                figure.savefig(part, format=form, metadata=_METADATA[form])
            part.replace(path)
            written.append(path)
        if caption:
            beside = base.with_name(f"{base.name}.caption.md")
            beside.write_text(f"{caption}\n", encoding="utf-8")
            written.append(beside)
    except OSError as error:
        raise InputError(f"cannot write the figure {base}: {error.strerror or error}") from error
    return tuple(written)
