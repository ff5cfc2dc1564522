"""A figure as PNG, PDF and SVG: fonts inside, no date, the same bytes for the same figure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure

from mfa.errors import InputError
from mfa.files import atomic, write_atomically
from viz import theme

Format = Literal["png", "pdf", "svg"]
FORMATS: tuple[Format, ...] = ("png", "pdf", "svg")

_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None, "Format": None, "Type": None},
}
"""What matplotlib would write of itself and of the hour, left out."""

_SPEED: dict[str, dict[str, Any]] = {"png": {"pil_kwargs": {"compress_level": 4}}}
"""A third of the time of the default level 6, for files a few percent larger."""


def save(
    figure: Figure,
    stem: str | os.PathLike[str],
    formats: Sequence[Format] = FORMATS,
    *,
    caption: str = "",
    details: str = "",
) -> tuple[Path, ...]:
    """Write ``stem`` + ``.png`` (300 dots per inch), ``.pdf`` and ``.svg``; return the paths.

    The three are the same picture at the same size. Folders are made; a file is replaced whole.

    Args:
        figure: the picture.
        stem: path without the ending.
        formats: which of the three.
        caption: what is printed below the picture, for ``stem`` + ``.caption.md``.
        details: what only needs to be kept with it, for ``stem`` + ``.details.md``.

    Raises:
        InputError: an unknown format, or a place that cannot be written.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise InputError(f"no figure format {unknown[0]!r}; there are {', '.join(FORMATS)}")
    base = Path(stem)
    written = []
    # The layout learns of its numbers' widths in drawing: the first format would have another.
    with theme.theme():
        figure.draw_without_rendering()
    for form in formats:
        path = base.with_name(f"{base.name}.{form}")
        with atomic(path) as draft, theme.theme():
            figure.savefig(draft, format=form, metadata=_METADATA[form], **_SPEED.get(form, {}))
        written.append(path)
    for kind, words in {"caption": caption, "details": details}.items():
        if words:
            written.append(base.with_name(f"{base.name}.{kind}.md"))
            write_atomically(written[-1], f"{words}\n")
    return tuple(written)
