"""What a zip archive is and holds, before anything of it is written."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path, PurePosixPath

from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import is_litter, is_picture
from mfa.datasets.readers.load import LAYOUTS, recognise
from mfa.datasets.readers.places import is_file, is_folder
from mfa.errors import InputError

_KINDS = {
    b"Rar!": "RAR",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x1f\x8b": "gzip (.tar.gz)",
    b"BZh": "bzip2 (.tar.bz2)",
    b"\xfd7zXZ": "xz (.tar.xz)",
}
"""First bytes of other archives."""


def datasets_in(archive: Path) -> tuple[Layout, ...]:
    """The datasets that could be unpacked from the archive.

    Raises:
        InputError: as ``open_zip`` and ``safe_entries``.
    """
    with open_zip(archive) as opened:
        return Tree(safe_entries(archive, opened.infolist())).datasets()


def open_zip(archive: Path) -> zipfile.ZipFile:
    """Open a zip archive.

    Raises:
        InputError: it is missing, unreadable, empty, cut short, or no zip; says what it is instead.
    """
    if is_folder(archive):
        raise InputError(
            f"{archive} is a folder; give the downloaded zip file, or have the folder read as it "
            "is: mfa data doctor FOLDER"
        )
    if not is_file(archive):
        raise InputError(f"there is no archive {archive}; give the path of the downloaded file")
    if archive.stat().st_size == 0:
        raise InputError(f"{archive} is empty (0 bytes); download it again")
    try:
        return zipfile.ZipFile(archive)
    except PermissionError as error:
        raise InputError(
            f"{archive} may not be read; change its permissions (chmod u+r)"
        ) from error
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(f"{archive} {_kind(archive, error)}") from error


def _kind(archive: Path, error: Exception) -> str:
    """What a file is that is no whole zip archive, and what to do, as the rest of a sentence."""
    with archive.open("rb") as stream:
        head = stream.read(512)
    if head.startswith(b"PK\x03\x04"):
        return "is a zip archive whose end is missing: the download was cut short; repeat it"
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return "is a web page saved under an archive's name; download the file itself"
    kinds = [name for start, name in _KINDS.items() if head.startswith(start)]
    kinds += ["tar"] if head[257:262] == b"ustar" else []
    if kinds:
        return (
            f"is not a zip but a {kinds[0]} archive, which is not unpacked here; unpack it by hand "
            "into the data root and ask: mfa data doctor NAME"
        )
    return f"is not a zip archive ({error}); download it again"


def safe_entries(
    archive: Path, infos: Iterable[zipfile.ZipInfo]
) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Files by path, folders left out.

    Raises:
        InputError: one leads outside, is a link, or is encrypted.
    """
    entries = {}
    for info in infos:
        name = info.filename.replace("\\", "/")
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or ":" in name.split("/")[0]:
            why = "leads outside the folder it is unpacked into"
        elif stat.S_ISLNK(info.external_attr >> 16):
            why = "is a link"
        elif info.flag_bits & 1:
            why = "is encrypted; unpack it by hand with the password its owners gave you"
        else:
            if not info.is_dir() and path.parts:
                entries[path] = info
            continue
        raise InputError(
            f"{archive} is refused, nothing was unpacked: its entry {info.filename!r} {why}"
        )
    return entries


class Tree:
    """The files of an archive, litter left out, and the folders they lie in.

    Attributes:
        files: in the archive's order.
        folders: every folder above a file, the archive's own root (``.``) too.
    """

    def __init__(self, entries: Iterable[PurePosixPath]) -> None:
        self.files = [path for path in entries if not any(map(is_litter, path.parts))]
        self.folders = {parent for path in self.files for parent in path.parents}

    def place_of(self, layout: Layout) -> PurePosixPath | None:
        """The topmost folder that has the layout; none where its names are another dataset's."""
        places = self.folders.union(self.files)
        for place in sorted(self.folders, key=lambda path: (len(path.parts), str(path))):
            if any(all(place / part in places for part in parts) for parts in layout.needs):
                return place if self._may_be(layout, place) else None
        return None

    def datasets(self) -> tuple[Layout, ...]:
        """The datasets that have a place in the archive."""
        return tuple(f for f in LAYOUTS.values() if self.place_of(f) is not None)

    def _may_be(self, layout: Layout, place: PurePosixPath) -> bool:
        inside = (path.name for path in self.files if path.is_relative_to(place))
        named = recognise(list(islice(filter(is_picture, inside), 200)))
        return named is None or named.parse is layout.parse or not layout.telling
