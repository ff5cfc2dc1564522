"""The tree on the disk, drawn short enough to compare by eye."""

from __future__ import annotations

from pathlib import Path

from mfa.datasets.readers.listing import children, is_picture
from mfa.datasets.readers.places import is_folder
from mfa.errors import InputError

_MOST = 6
"""Entries drawn of one folder."""


def draw(folder: Path, levels: int = 2) -> str:
    """``folder`` with its sub-folders; pictures as a count and an example; links not followed."""
    return "\n".join([f"{folder.name or folder}/", *_lines(folder, "", levels)])


def _lines(folder: Path, indent: str, levels: int) -> list[str]:
    try:
        paths = children(folder)
    except InputError:
        return [f"{indent}└── (cannot be listed)"]
    folders: list[Path] = []
    pictures: list[Path] = []
    others: list[Path] = []
    for path in paths:
        if is_folder(path):
            folders.append(path)
        elif is_picture(path.name):
            pictures.append(path)
        else:
            others.append(path)
    entries: list[tuple[str, Path | None]] = [(f"{path.name}/", path) for path in folders[:_MOST]]
    if len(folders) > _MOST:
        entries.append((f"({len(folders) - _MOST} more folders)", None))
    if pictures:
        entries.append((f"({len(pictures):,} pictures, e.g. {pictures[0].name})", None))
    entries += [(path.name, None) for path in others[:_MOST]]
    if len(others) > _MOST:
        entries.append((f"({len(others) - _MOST} more files)", None))
    if not entries:
        entries.append(("(empty)", None))
    lines = []
    for position, (text, inner) in enumerate(entries):
        last = position == len(entries) - 1
        lines.append(f"{indent}{'└──' if last else '├──'} {text}")
        if inner is not None and levels > 1 and not inner.is_symlink():
            lines += _lines(inner, indent + ("    " if last else "│   "), levels - 1)
    return lines
