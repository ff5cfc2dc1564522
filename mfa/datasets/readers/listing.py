"""Lists of picture files: what a reader takes, what it leaves out, and why."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from pathlib import Path

from mfa.errors import InputError
from mfa.records import Sample

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})

LITTER = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini", ".ipynb_checkpoints"})
"""Names, in lower case, that file managers leave behind; never part of a dataset."""

Parse = Callable[[str], tuple[int, int] | None]
"""File name to (pid, camid), or ``None`` where it is not a name of this dataset."""


class Reason(Enum):
    """Why a reader leaves a file or folder out; the value is the code of the doctor's finding."""

    NAME = "strange-name"
    NOT_AN_IMAGE = "not-a-picture"
    FOLDER = "unexpected-folder"
    ABSENT = "listed-but-missing"
    OTHER_PID = "list-disagrees"
    UNLISTED = "not-listed"


_SENTENCES = {
    Reason.NAME: "the name is not like {}",
    Reason.NOT_AN_IMAGE: "not a picture by its name",
    Reason.FOLDER: "a folder, which this dataset does not have here",
    Reason.ABSENT: "{} lists it and it is not there",
    Reason.OTHER_PID: "{} gives it another identity than its name",
    Reason.UNLISTED: "no list file names it",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or folder that a reader did not take.

    Attributes:
        path: where it lies, or should lie.
        reason: why.
        detail: what the reason is about: an example of a right name, or the list file's name.
    """

    path: Path
    reason: Reason
    detail: str = ""

    @property
    def why(self) -> str:
        """The reason in words."""
        return _SENTENCES[self.reason].format(self.detail)


@dataclass(frozen=True)
class Listing:
    """What a reader found in a dataset's folder, in a stable order.

    Attributes:
        train, query, gallery: the samples.
        left_out: everything that is not litter and was not taken.
        setting: which of several versions this is, e.g. ``V1`` or ``labeled``.
        notes: sentences about the whole, e.g. which version was recognised.
    """

    train: tuple[Sample, ...] = ()
    query: tuple[Sample, ...] = ()
    gallery: tuple[Sample, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    setting: str = ""
    notes: tuple[str, ...] = ()

    def splits(self) -> dict[str, tuple[Sample, ...]]:
        """The three lists by name."""
        return {"train": self.train, "query": self.query, "gallery": self.gallery}

    def reasons(self) -> Iterator[tuple[Reason, list[LeftOut]]]:
        """What was left out, grouped by reason over all folders."""
        ordered = sorted(self.left_out, key=lambda item: (item.reason.value, item.path.as_posix()))
        for reason, group in groupby(ordered, key=lambda item: item.reason):
            yield reason, list(group)

    def sentences(self) -> tuple[str, ...]:
        """The notes, and one sentence for each reason something was left out, with an example."""
        return self.notes + tuple(
            f"left out {len(group):,}: {group[0].why} (first: {group[0].path})"
            for _, group in self.reasons()
        )


def is_litter(name: str) -> bool:
    """Whether a file manager made this, not the dataset's authors."""
    return name.lower() in LITTER or name.startswith("._")


def is_image(name: str) -> bool:
    """Whether a file called ``name`` is a picture by its suffix, whatever the case."""
    return Path(name).suffix.lower() in IMAGE_SUFFIXES


def children(folder: Path) -> list[Path]:
    """What lies directly in ``folder``, sorted by name, litter left out.

    Raises:
        InputError: the folder cannot be listed.
    """
    return [folder / name for name, _ in _entries(folder)]


def images_below(folder: Path) -> Iterator[Path]:
    """Picture files at any depth below ``folder``, sorted, litter and linked folders left out.

    Raises:
        InputError: a folder cannot be listed.
    """
    for path in children(folder):
        if is_folder(path):
            if not path.is_symlink():
                yield from images_below(path)
        elif is_image(path.name):
            yield path


def parse_folder(
    folder: Path, parse: Parse, expected: str
) -> tuple[tuple[Sample, ...], tuple[LeftOut, ...]]:
    """Read the names in one folder.

    Args:
        folder: where the pictures lie, not in sub-folders.
        parse: gives pid and camid of a name.
        expected: an example of a right name, for the reason of those left out.

    Returns:
        The samples sorted by name, and what was left out; litter is in neither.

    Raises:
        InputError: the folder cannot be listed.
    """
    samples, left_out = [], []
    for name, is_dir in _entries(folder):
        path, parsed = folder / name, parse(name)
        if is_dir:
            left_out.append(LeftOut(path, Reason.FOLDER))
        elif not is_image(name):
            left_out.append(LeftOut(path, Reason.NOT_AN_IMAGE))
        elif parsed is None:
            left_out.append(LeftOut(path, Reason.NAME, expected))
        else:
            samples.append(Sample(path, *parsed))
    return tuple(samples), tuple(left_out)


def in_order(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Sorted by path, whatever order a list file or a file system gives."""
    return tuple(sorted(samples, key=lambda sample: sample.path.as_posix()))


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


def counted(number: int, what: str) -> str:
    """A number with its noun: 1 person, 2 people, 1 query, 1,200 queries."""
    special = {"person": "people", "query": "queries"}
    return f"{number:,} {what if number == 1 else special.get(what, f'{what}s')}"


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """(name, whether it is a folder), sorted; a directory's own word spares a look at each file."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (entry.name, _is_folder(entry)) for entry in entries if not is_litter(entry.name)
            )
    except OSError as error:
        raise InputError(
            f"{folder} cannot be listed ({error.strerror})",
            "check that it is a folder you may read",
        ) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False
