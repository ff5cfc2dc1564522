"""Unpack a dataset's zip archive into its place: safely, and from where an interruption left it."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from mfa.datasets.prepare.archives import Tree, open_zip, safe_entries
from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import is_litter
from mfa.datasets.readers.places import is_file, is_folder, quoted
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
            entry that would leave the folder, or a link; it is not this dataset; another version
            lies where it should go; or the disk is too small for what it declares. Nothing is
            written in these cases.
    """
    with open_zip(archive) as opened:
        entries = safe_entries(archive, opened.infolist())
        tree = Tree(entries)
        inner = tree.place_of(layout)
        if inner is None:
            raise InputError(_not_it(archive, layout, tree))
        wanted = {
            path.relative_to(inner): info
            for path, info in entries.items()
            if path.is_relative_to(inner) and not any(map(is_litter, path.parts))
        }
        folder = _target(layout, root)
        _refuse_mixing(layout, folder, {path.parts[0] for path in wanted})
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


def _not_it(archive: Path, layout: Layout, tree: Tree) -> str:
    """What the archive is, where it is not the dataset, and what to do."""
    others = tree.datasets()
    if others:
        return (
            f"{archive} is not {layout.title}, but {others[0].title}; unpack it as such: mfa data "
            f"prepare {others[0].name} --archive {quoted(archive)}"
        )
    tops = sorted({"/".join(path.parts[:2]) for path in tree.files})[:6]
    return (
        f"{archive} is not {layout.title}: nowhere in it are {', '.join(layout.needs[0])} side by "
        f"side (it holds {', '.join(tops) or 'nothing'} ...); give the right archive, and unpack "
        "archives inside an archive by hand"
    )


def _refuse_mixing(layout: Layout, folder: Path, tops: set[str]) -> None:
    """Raise where parts of another version of the dataset lie in ``folder`` already.

    Args:
        layout: the dataset's.
        folder: where the archive goes.
        tops: the topmost names in the archive.
    """
    own = {name.lower() for name in tops}
    parts = {part.split("/")[0] for parts in layout.needs for part in parts}
    others = sorted(part for part in parts if part.lower() not in own)
    found = [part for part in others if is_folder(folder / part) or is_file(folder / part)]
    if found:
        raise InputError(
            f"{folder} holds {', '.join(found)} of another version of {layout.title}, which would "
            "be mixed with the one in the archive; name another place by --data-root, or move the "
            "folder away"
        )


def _target(layout: Layout, root: Path) -> Path:
    names = (root / name for name in layout.folders)
    return next((folder for folder in names if is_folder(folder)), root / layout.folders[0])


def _is_whole(file: Path, info: zipfile.ZipInfo) -> bool:
    try:
        if file.stat().st_size != info.file_size:
            return False
        return zlib.crc32(file.read_bytes()) == info.CRC
    except OSError:
        return False


def _check_room(archive: Path, folder: Path, size: int) -> None:
    """Compare with what the archive declares; a bomb declares more than any disk has."""
    disk = next(place for place in (folder, *folder.absolute().parents) if is_folder(place))
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
