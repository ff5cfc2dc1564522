"""Unpack a dataset's zip archive into its place: safely, and from where an interruption left it."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from mfa.datasets.layout import Layout
from mfa.datasets.listing import is_litter
from mfa.errors import InputError

_SPARE = 200 * 2**20
"""Bytes that stay free on the disk."""


@dataclass(frozen=True)
class Unpacked:
    """What unpacking came to.

    Attributes:
        folder: the dataset's folder.
        written: files written now.
        kept: files that were there already, whole.
        ignored: entries that are litter (Thumbs.db, __MACOSX ...) or lie beside the dataset.
        damaged: (entry, why) that could not be unpacked.
    """

    folder: Path
    written: int
    kept: int
    ignored: int
    damaged: tuple[tuple[str, str], ...]


def unpack(archive: Path, layout: Layout, root: Path) -> Unpacked:
    """Unpack the dataset in ``archive`` into its folder below ``root``.

    The folder is an existing one by a usual name, else ``layout.folders[0]``. Folders wrapped
    around the dataset in the archive are dropped. A file already there with the right size and
    checksum is kept; others are written beside their place and renamed into it.

    Raises:
        InputError: the archive is missing, empty, cut short, encrypted or not a zip; it holds an
            entry that would leave the folder, or a link; it is not this dataset; or the disk is
            too small for what it declares. Nothing is written in these cases.
    """
    with _open(archive) as opened:
        entries = _safe_entries(archive, opened.infolist())
        inner = _dataset_folder(archive, layout, entries)
        wanted = {
            path.relative_to(inner): info
            for path, info in entries.items()
            if path.is_relative_to(inner) and not any(map(is_litter, path.parts))
        }
        folder = _target(layout, root)
        present = {path for path, info in wanted.items() if _is_whole(folder / path, info)}
        missing = {path: info for path, info in wanted.items() if path not in present}
        _check_room(archive, folder, sum(info.file_size for info in missing.values()))
        damaged = _write(opened, folder, missing)
    return Unpacked(
        folder=folder,
        written=len(missing) - len(damaged),
        kept=len(present),
        ignored=len(entries) - len(wanted),
        damaged=tuple(damaged),
    )


def holds(archive: Path, layout: Layout) -> bool:
    """Whether the dataset is in the archive; nothing is written.

    Raises:
        InputError: as ``unpack`` for what is no archive, or not a safe one.
    """
    with _open(archive) as opened:
        entries = _safe_entries(archive, opened.infolist())
    try:
        _dataset_folder(archive, layout, entries)
    except InputError:
        return False
    return True


def _open(archive: Path) -> zipfile.ZipFile:
    if not archive.is_file():
        raise InputError(f"there is no archive {archive}; give the path of the downloaded file")
    if archive.stat().st_size == 0:
        raise InputError(f"{archive} is empty (0 bytes); download it again")
    try:
        return zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        with archive.open("rb") as stream:
            begins = stream.read(4)
        if begins == b"PK\x03\x04":
            what = "is a zip archive whose end is missing: the download was cut short; repeat it"
        else:
            what = f"is not a zip archive ({error}); unpack other kinds by hand into the data root"
        raise InputError(f"{archive} {what}") from error


def _safe_entries(
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


def _dataset_folder(
    archive: Path, layout: Layout, entries: Mapping[PurePosixPath, zipfile.ZipInfo]
) -> PurePosixPath:
    """The folder inside the archive that has the layout.

    Raises:
        InputError: none has it; says what the archive holds.
    """
    clean = [path for path in entries if not any(map(is_litter, path.parts))]
    places = set(clean) | {parent for path in clean for parent in path.parents}
    for place in sorted(places, key=lambda path: (len(path.parts), str(path))):
        if any(all(place / part in places for part in parts) for parts in layout.needs):
            return place
    held = sorted({"/".join(path.parts[:2]) for path in clean})[:6]
    raise InputError(
        f"{archive} is not {layout.title}: nowhere in it are {', '.join(layout.needs[0])} side by "
        f"side (it holds {', '.join(held) or 'nothing'} ...); give the right archive"
    )


def _target(layout: Layout, root: Path) -> Path:
    names = (root / name for name in layout.folders)
    return next((folder for folder in names if folder.is_dir()), root / layout.folders[0])


def _is_whole(file: Path, info: zipfile.ZipInfo) -> bool:
    try:
        if file.stat().st_size != info.file_size:
            return False
        return zlib.crc32(file.read_bytes()) == info.CRC
    except OSError:
        return False


def _check_room(archive: Path, folder: Path, size: int) -> None:
    """Compare with what the archive declares; a bomb declares more than any disk has."""
    disk = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(disk).free
    if size and size + _SPARE > free:
        raise InputError(
            f"{archive} unpacks to {size / 2**20:,.0f} MiB and {disk} has {free / 2**20:,.0f} MiB "
            "free; free the disk, or name another place by --data-root"
        )


def _write(
    opened: zipfile.ZipFile, folder: Path, missing: Mapping[PurePosixPath, zipfile.ZipInfo]
) -> list[tuple[str, str]]:
    """Write the files; a damaged entry is left out and returned with the reason."""
    damaged = []
    for path, info in tqdm(missing.items(), desc="unpacking", unit=" files", disable=None):
        file = folder / path
        draft = file.with_name(f"{file.name}.part")
        try:
            # zipfile never gives more than the declared size, so reading it whole is bounded.
            data = opened.read(info)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            damaged.append((info.filename, str(error)))
            continue
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(data)
            draft.replace(file)
        except OSError as error:
            raise InputError(
                f"{file} cannot be written ({error.strerror}); what is unpacked stays, and the "
                "same command goes on from here"
            ) from error
    return damaged
