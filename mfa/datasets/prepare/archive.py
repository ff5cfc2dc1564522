"""Unpack a dataset's archive into its place, by names and sizes that were checked before.

Everything is written into a folder beside the place first. Only a whole dataset moves on.
"""

from __future__ import annotations

import bz2
import filecmp
import gzip
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from tqdm import tqdm

from mfa.datasets.disk import refuse_if_full
from mfa.datasets.readers.find import contents, datasets_in, folders_called, reads_in
from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import is_file, is_folder, is_litter, quoted, subfolders
from mfa.errors import InputError
from mfa.files import draft_folder

_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".rar", ".7z")

_PACKED: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
"""First bytes of a packed tar archive, and what unpacks it."""

_OTHERS = {b"Rar!": "RAR", b"7z\xbc\xaf\x27\x1c": "7z"}
"""First bytes of archives that are not unpacked here."""

_PIECE = 2**20
"""Bytes read at a time."""

_RATIO, _HARMLESS = 100, 256 * 2**20
"""An archive that declares more than so many times its own size, and more than so many bytes, is a
bomb: pictures hardly shrink."""


@dataclass(frozen=True)
class Unpacked:
    """The outcome of unpacking an archive.

    Attributes:
        folder: the dataset's folder.
        written: files written now.
        kept: files that were there already, with the same content.
        ignored: entries that are litter (Thumbs.db, __MACOSX ...) or lie beside the dataset.
        damaged: (entry, why) that could not be unpacked.
    """

    folder: Path
    written: int
    kept: int
    ignored: int
    damaged: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Entry:
    """A file in an archive."""

    path: PurePosixPath
    size: int
    open: Callable[[], Any]


class _DamagedError(Exception):
    """An entry cannot be read from the archive."""


def is_archive(path: Path) -> bool:
    """Whether a file is an archive by its name."""
    return path.name.lower().endswith(_SUFFIXES) and is_file(path)


def unpack(archive: Path, layout: Layout, root: Path) -> Unpacked:
    """Unpack the dataset in ``archive`` into its folder below ``root``.

    The folder is an existing one by a usual name, else ``layout.folders[0]``. Folders wrapped
    around the dataset in the archive are dropped. Files that differ from those there replace them.

    Raises:
        InputError: the archive is missing, cut short, encrypted, or neither zip nor tar; an entry
            would leave the folder, is a link, or is a bomb; it is not this dataset; another version
            or a link lies where it should go; or the disk has no room. Nothing is written then.
    """
    folder = next(iter(folders_called(layout, root)), root / layout.folders[0])
    _refuse_link(folder, f"--data-root {quoted(folder.resolve().parent)}")
    try:
        with ExitStack() as stack:
            entries = _entries(archive, stack)
            draft = stack.enter_context(draft_folder(folder))
            refuse_if_full(
                f"{archive} unpacks to",
                sum(entry.size for entry in entries),
                draft.parent,
                "free the disk, or name another place by --data-root",
            )
            damaged = _extract(entries, draft)
            place = _place_in(draft, layout)
            if place is None:
                raise _not_it(archive, layout, draft)
            written, kept = _move(place, folder, layout)
    except OSError as error:
        raise InputError(
            f"{archive} cannot be unpacked to {folder} ({error.strerror or error})",
            "free the disk, or name a folder that you may write to by --data-root",
        ) from error
    ignored = len(entries) - len(damaged) - written - kept
    return Unpacked(folder, written, kept, ignored, tuple(damaged))


def _entries(archive: Path, stack: ExitStack) -> list[_Entry]:
    """The files of an archive, whose names and sizes are harmless."""
    if not is_file(archive):
        raise InputError(f"there is no archive {archive}", "give the path of the downloaded file")
    if archive.stat().st_size == 0:
        raise InputError(f"{archive} is empty (0 bytes)", "download it again")
    read = _zip_entries if _head(archive).startswith(b"PK") else _tar_entries
    entries, total = [], 0
    try:
        for entry in read(archive, stack):
            _refuse_outside(archive, str(entry.path))
            entries.append(entry)
            total += entry.size
            if total > max(_HARMLESS, _RATIO * archive.stat().st_size):
                raise _refused(archive, f"would unpack to {total / 2**20:,.0f} MiB or more, a bomb")
    except InputError:
        raise
    except Exception as error:
        # The readers of archives meet damage with almost any exception: struct.error, zlib.error,
        # EOFError, NotImplementedError, UnicodeDecodeError ... All say the same of the file.
        raise InputError(f"{archive} {_kind(archive, error)}", "download it again") from error
    return entries


def _zip_entries(archive: Path, stack: ExitStack) -> Iterator[_Entry]:
    opened = stack.enter_context(zipfile.ZipFile(archive))
    for info in opened.infolist():
        if info.flag_bits & 1:
            raise _refused(archive, f"holds the encrypted entry {info.filename!r}")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise _refused(archive, f"holds the link {info.filename!r}")
        if not info.is_dir():
            path = PurePosixPath(info.filename.replace("\\", "/"))
            yield _Entry(path, info.file_size, partial(opened.open, info))


def _tar_entries(archive: Path, stack: ExitStack) -> Iterator[_Entry]:
    head = _head(archive)
    unpack = next((unpack for start, unpack in _PACKED.items() if head.startswith(start)), None)
    stream = stack.enter_context(unpack(archive) if unpack else archive.open("rb"))
    pieces: Any = _InPieces(stream)
    opened = stack.enter_context(tarfile.TarFile(fileobj=pieces))
    for info in opened:
        if info.isreg():
            yield _Entry(PurePosixPath(info.name), info.size, partial(opened.extractfile, info))
        elif not info.isdir():
            raise _refused(archive, f"holds {info.name!r}, a link or device")


class _InPieces:
    """A stream that refuses to be read in one large piece.

    tarfile reads a long name of any declared length at once, which could be gigabytes of zeros.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._read, self.seek, self.tell = stream.read, stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= 16 * _PIECE:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._read(size)


def _refuse_outside(archive: Path, name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in name.split("/")[0] or "\0" in name:
        raise _refused(archive, f"holds {name!r}, which leads outside the folder it goes into")


def _refused(archive: Path, why: str) -> InputError:
    return InputError(
        f"{archive} is refused, and nothing was unpacked: it {why}",
        "get the archive from the dataset's owners, or unpack it by hand",
    )


def _kind(archive: Path, error: Exception) -> str:
    """What is wrong with a file that is no whole archive; completes a sentence."""
    head = _head(archive)
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return "is a web page saved under an archive's name"
    for start, name in _OTHERS.items():
        if head.startswith(start):
            return f"is a {name} archive, which must be unpacked by hand into the data root"
    if head.startswith((b"PK", *_PACKED)):
        return f"is cut short or damaged ({error})"
    return f"is neither a zip nor a tar archive ({error})"


def _head(archive: Path) -> bytes:
    with archive.open("rb") as stream:
        return stream.read(512)


def _extract(entries: list[_Entry], folder: Path) -> list[tuple[str, str]]:
    """Write the entries below ``folder``; the damaged ones are left out and returned."""
    damaged = []
    for entry in tqdm(entries, desc="unpacking", unit=" files", disable=None):
        if any(map(is_litter, entry.path.parts)):
            continue
        file = folder / entry.path
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with file.open("wb") as stream:
                stream.writelines(_pieces(entry))
        except _DamagedError as error:
            file.unlink()
            damaged.append((str(entry.path), str(error)))
    return damaged


def _pieces(entry: _Entry) -> Iterator[bytes]:
    """The content of an entry; never more of it than was declared."""
    left = entry.size
    try:
        with entry.open() as stream:
            while piece := stream.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    raise _DamagedError("it is longer than declared")
                yield piece
    except Exception as error:  # see _entries
        raise _DamagedError(str(error)) from error
    if left:
        raise _DamagedError("it is shorter than declared")


def _place_in(draft: Path, layout: Layout) -> Path | None:
    """The topmost folder that holds the dataset, by its parts and its pictures' names."""
    level = [draft]
    while level:
        found = next((folder for folder in level if reads_in(layout, folder)), None)
        if found is not None:
            return found
        level = [inner for folder in level for inner in subfolders(folder)][:100]
    return None


def _not_it(archive: Path, layout: Layout, draft: Path) -> InputError:
    for other in datasets_in(draft).values():
        return InputError(
            f"{archive} is not {layout.title}, but {other.title}",
            f"unpack it as such: mfa data prepare {other.name} --archive {quoted(archive)}",
        )
    return InputError(
        f"{archive} is not {layout.title}: nowhere in it are {', '.join(layout.needs[0])} side by "
        f"side with pictures named like {layout.example} (it holds {contents(draft)})",
        "give the right archive, and unpack archives inside an archive by hand",
    )


def _move(place: Path, folder: Path, layout: Layout) -> tuple[int, int]:
    """Move the files to their place; returns how many were moved and how many were there."""
    _refuse_mixing(layout, folder, place)
    moves = {
        source: folder / source.relative_to(place)
        for source in sorted(place.rglob("*"))
        if source.is_file()
    }
    for target in moves.values():
        for part in (target, *target.parents[: len(target.relative_to(folder).parts) - 1]):
            _refuse_link(part, "another place by --data-root")
    written = 0
    for source, target in moves.items():
        if not (target.is_file() and filecmp.cmp(source, target, shallow=False)):
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
            written += 1
    return written, len(moves) - written


def _refuse_link(path: Path, fix: str) -> None:
    if path.is_symlink():
        raise InputError(
            f"{path} is a link, through which nothing is written", f"remove it, or use {fix}"
        )


def _refuse_mixing(layout: Layout, folder: Path, place: Path) -> None:
    """Raise where parts of another version of the dataset lie in ``folder`` already."""
    parts = {part.split("/")[0] for parts in layout.needs for part in parts}
    own = {path.name.lower() for path in place.iterdir()}
    others = sorted(part for part in parts if part.lower() not in own)
    found = [part for part in others if is_folder(folder / part) or is_file(folder / part)]
    if found:
        raise InputError(
            f"{folder} holds {', '.join(found)} of another version of {layout.title}, which would "
            "be mixed with the one in the archive",
            "name another place by --data-root, or move the folder away",
        )
