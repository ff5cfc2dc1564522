"""Looking at paths that may be anything: no entry, link or right of access makes these raise."""

from __future__ import annotations

import shlex
from pathlib import Path


def is_folder(path: Path) -> bool:
    """``path.is_dir()``; false for what may not be looked at, and for a link back to itself."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """``path.is_file()``, as ``is_folder``; a pipe is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_broken_link(path: Path) -> bool:
    """Whether ``path`` is a link that leads nowhere, or back to itself."""
    try:
        return path.is_symlink() and not (is_folder(path) or is_file(path))
    except OSError:
        return False


def expanded(path: Path | str) -> Path:
    """``~`` as the user's home; as it stands where no such user is known."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def quoted(path: Path) -> str:
    """A path as it can be typed after a command, spaces and all."""
    return shlex.quote(str(path))


def printable(text: str) -> str:
    """A path as text that can be written anywhere: bytes that are no UTF-8 are spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
