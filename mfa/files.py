"""Files written whole or not at all."""

from __future__ import annotations

import glob
import itertools
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfa.errors import InputError, reason

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Signs by which a spreadsheet takes a text for a formula."""

MAX_DEPTH = 50
"""Lists and objects within each other in a JSON text, at most."""

_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_COUNT = itertools.count()


def shipped(path: str) -> Path:
    """A file that comes with the product, by its path in the checkout: ``data/published``.

    An installed package holds these files in ``mfa/shipped`` (see ``pyproject.toml``); a checkout
    has them beside the package.
    """
    package = Path(__file__).parent
    inside = package / "shipped"
    return (inside if inside.is_dir() else package.parent) / path


def found_above(path: Path) -> Path:
    """A relative path as seen from the working directory, or from the checkout it lies in.

    Notebooks run in ``notebooks/``, while runs and data lie beside that folder. A checkout is the
    nearest folder above with a ``pyproject.toml``; where there is none, no folder above is looked
    at. A path that is nowhere comes back as it is.
    """
    folders = [Path.cwd(), *Path.cwd().parents]
    checkout = next((i for i, at in enumerate(folders) if (at / "pyproject.toml").is_file()), 0)
    with suppress(OSError):  # a name that no system takes is nowhere
        for folder in (Path(), *folders[1 : checkout + 1]):
            if (folder / path).exists():
                return folder / path
    return path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a draft beside ``path``, and move it there when the block ends without an error.

    Readers see the old file or the new one, never a half. The draft keeps the ending of ``path``,
    for writers that choose the format by it. The folder is made. The file's mode follows the umask,
    whatever mode the writer gave it. Drafts that killed processes of this machine left of the same
    file are removed.

    Raises:
        InputError: the file cannot be written; what was there stays.
    """
    try:
        draft = _draft(path, path.stem, path.suffix)
        try:
            draft.touch(exist_ok=False)
            mode = draft.stat().st_mode
            yield draft
            draft.chmod(mode)
            with draft.open("rb+") as stream:
                os.fsync(stream.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error})",
            "free the disk, or name a file in a folder that you may write to",
        ) from error


@contextmanager
def draft_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path``, to be filled and renamed; what is left of it goes.

    Drafts that killed processes of this machine left of the same folder are removed.

    Raises:
        OSError: it cannot be made.
    """
    draft = _draft(path, path.name, "")
    draft.mkdir()
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_atomically(path: Path, content: str | Callable[[Path], object]) -> None:
    """Write ``path`` whole or not at all: a text (UTF-8), or what ``content(draft)`` writes."""
    with atomic(path) as draft:
        if isinstance(content, str):
            draft.write_text(content, encoding="utf-8")
        else:
            content(draft)


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV, in which no text is a formula to a spreadsheet; see ``cell_of_text``."""
    marked = table.rename(columns=cell_of_text)
    for name, column in marked.items():
        if column.dtype.kind in "OT":  # text, or anything
            marked[name] = column.map(cell_of_text)
    return str(marked.to_csv(index=False, lineterminator="\n"))


def cell_of_text(value: Any) -> Any:
    """A value as it stands in a CSV file.

    Text that begins with one of ``FORMULA`` and is no number gets an apostrophe before it, which
    spreadsheets take for the mark of text; ``text_of_cell`` takes it off again.
    """
    if not isinstance(value, str) or not value.startswith(FORMULA):
        return value
    with suppress(ValueError):
        float(value)
        return value
    return f"'{value}"


def text_of_cell(cell: str) -> str:
    """The text that ``cell_of_text`` was given."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell


def parse_json(text: str) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: it is no JSON, or lists and objects lie more than ``MAX_DEPTH`` deep in each
            other, which would exhaust the stack of whoever reads or prints them.
    """
    brackets = text.encode("utf-8", "replace").translate(None, _NO_BRACKETS)
    depths = accumulate(1 if bracket in b"[{" else -1 for bracket in brackets)
    if max(depths, default=0) > MAX_DEPTH:
        raise ValueError(f"lists and objects lie more than {MAX_DEPTH} deep in each other")
    return json.loads(text)


def read_json(path: Path) -> Any:
    """The content of a JSON file."""
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise InputError(f"{path} is no JSON text in UTF-8 ({reason(error)})") from error


def _draft(path: Path, name: str, ending: str) -> Path:
    """A free place beside ``path`` whose folder exists; removes what dead processes left there."""
    start, end = f".{name}.{platform.node()}-", f".part{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f"{glob.escape(start)}*{glob.escape(end)}"):
        pid = left.name.removeprefix(start).partition("-")[0]
        if pid.isdigit() and not _runs(int(pid)):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
    return path.with_name(f"{start}{os.getpid()}-{next(_COUNT)}{end}")


def _runs(pid: int) -> bool:
    """Whether a process runs; always true on Windows, where asking would end it."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
