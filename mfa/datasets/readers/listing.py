"""Lists of picture files: what a reader takes, what it leaves out, and why."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mfa.errors import InputError
from mfa.records import Sample

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})

LITTER = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini", ".ipynb_checkpoints"})
"""Names, in lower case, that file managers leave behind; never part of a dataset."""

Parse = Callable[[str], tuple[int, int] | None]
"""File name to (pid, camid), or ``None`` where it is not a name of this dataset."""


@dataclass(frozen=True)
class Listing:
    """What a reader found in a dataset's folder, in a stable order.

    Attributes:
        train, query, gallery: the samples.
        left_out: (file or folder, why) of everything that is not litter and was not taken.
        setting: which of several versions this is, e.g. ``V1`` or ``labeled``.
        notes: sentences about the whole, e.g. which version was recognised.
    """

    train: tuple[Sample, ...] = ()
    query: tuple[Sample, ...] = ()
    gallery: tuple[Sample, ...] = ()
    left_out: tuple[tuple[Path, str], ...] = ()
    setting: str = ""
    notes: tuple[str, ...] = ()

    def splits(self) -> dict[str, tuple[Sample, ...]]:
        """The three lists by name."""
        return {"train": self.train, "query": self.query, "gallery": self.gallery}

    def sentences(self) -> tuple[str, ...]:
        """The notes, and one sentence for each reason something was left out, with an example."""
        counts = Counter((path.parent, why) for path, why in self.left_out)
        first = {(path.parent, why): path.name for path, why in reversed(self.left_out)}
        return self.notes + tuple(
            f"left out {count} in {folder}: {why} (first: {first[folder, why]})"
            for (folder, why), count in sorted(counts.items(), key=str)
        )


@dataclass
class Files:
    """The content of one folder.

    Attributes:
        pictures: files with a picture's suffix, sorted by name.
        others: (path, why it is no picture), sorted; litter is in neither.
    """

    pictures: list[Path] = field(default_factory=list)
    others: list[tuple[Path, str]] = field(default_factory=list)


def is_litter(name: str) -> bool:
    """Whether a file manager made this, not the dataset's authors."""
    return name.lower() in LITTER or name.startswith("._")


def children(folder: Path) -> list[Path]:
    """What lies directly in ``folder``, sorted by name, litter left out.

    Raises:
        InputError: the folder cannot be listed.
    """
    return [folder / name for name, _ in _entries(folder)]


def list_files(folder: Path) -> Files:
    """The pictures and other entries directly in ``folder``.

    Raises:
        InputError: the folder cannot be listed.
    """
    files = Files()
    for name, is_folder in _entries(folder):
        if is_folder:
            files.others.append((folder / name, "a folder, which this dataset does not have here"))
        elif is_picture(name):
            files.pictures.append(folder / name)
        else:
            files.others.append((folder / name, "not a picture by its name"))
    return files


def is_picture(name: str) -> bool:
    """Whether a file called ``name`` is a picture by its suffix, whatever the case."""
    return Path(name).suffix.lower() in PICTURE_SUFFIXES


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """(name, whether it is a folder), sorted; a directory's own word spares a look at each file."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (entry.name, _is_folder(entry)) for entry in entries if not is_litter(entry.name)
            )
    except OSError as error:
        raise InputError(
            f"{folder} cannot be listed ({error.strerror}); check that it is a folder you may read"
        ) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False


def parse_folder(
    folder: Path, parse: Parse, expected: str
) -> tuple[tuple[Sample, ...], tuple[tuple[Path, str], ...]]:
    """Read the names in one folder.

    Args:
        folder: where the pictures lie, not in sub-folders.
        parse: gives pid and camid of a name.
        expected: an example of a right name, for the reason of those left out.

    Returns:
        The samples sorted by name, and what was left out with the reason.
    """
    files = list_files(folder)
    samples, left_out = [], list(files.others)
    for path in files.pictures:
        parsed = parse(path.name)
        if parsed is None:
            left_out.append((path, f"the name is not like {expected}"))
        else:
            samples.append(Sample(path, *parsed))
    return tuple(samples), tuple(left_out)


def in_order(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Sorted by path, whatever order a list file or a file system gives."""
    return tuple(sorted(samples, key=lambda sample: sample.path.as_posix()))
