"""Lists of picture files: what a reader takes, what it leaves out, and why."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    """Why a reader leaves something out: the code of the doctor's finding, and the sentence."""

    NAME = "strange-name", "the name is not like {}"
    NOT_AN_IMAGE = "not-a-picture", "not a picture by its name"
    FOLDER = "unexpected-folder", "a folder, which this dataset does not have here"
    ABSENT = "listed-but-missing", "{} lists it and it is not there"
    OTHER_PID = "list-disagrees", "{} gives it another identity than its name"
    UNLISTED = "not-listed", "no list file names it"

    def __init__(self, code: str, sentence: str) -> None:
        self.code, self.sentence = code, sentence


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
        return self.reason.sentence.format(self.detail)


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

    def reasons(self) -> list[list[LeftOut]]:
        """What was left out, one group per reason, over all folders."""
        ordered = sorted(self.left_out, key=lambda item: (item.reason.code, item.path.as_posix()))
        return [list(group) for _, group in groupby(ordered, key=lambda item: item.reason)]

    def sentences(self) -> tuple[str, ...]:
        """The notes, and one sentence for each reason something was left out, with an example."""
        return self.notes + tuple(
            f"left out {len(group):,}: {group[0].why} (first: {group[0].path})"
            for group in self.reasons()
        )


def is_litter(name: str) -> bool:
    """Whether a file manager made this."""
    return name.lower() in LITTER or name.startswith("._")


def is_image(name: str) -> bool:
    """Whether a file called ``name`` is a picture by its suffix, whatever the case."""
    return Path(name).suffix.lower() in IMAGE_SUFFIXES


def children(folder: Path) -> list[Path]:
    """What lies directly in ``folder``, sorted by name, litter left out."""
    return [folder / name for name, _ in _entries(folder)]


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in ``folder``; none where it may not be listed."""
    try:
        return [folder / name for name, is_dir in _entries(folder) if is_dir]
    except InputError:
        return []


def images_below(folder: Path) -> Iterator[Path]:
    """Picture files at any depth below ``folder``, sorted, litter and linked folders left out."""
    for path in children(folder):
        if is_folder(path):
            if not path.is_symlink():
                yield from images_below(path)
        elif is_image(path.name):
            yield path


def parse_folder(
    folder: Path, parse: Parse, example: str
) -> tuple[tuple[Sample, ...], tuple[LeftOut, ...]]:
    """Read the names in one folder, not in its sub-folders.

    Returns:
        The samples sorted by name, and what was left out; litter is in neither.
    """
    samples, left_out = [], []
    for name, is_dir in _entries(folder):
        path, parsed = folder / name, parse(name)
        if is_dir:
            left_out.append(LeftOut(path, Reason.FOLDER))
        elif not is_image(name):
            left_out.append(LeftOut(path, Reason.NOT_AN_IMAGE))
        elif parsed is None:
            left_out.append(LeftOut(path, Reason.NAME, example))
        else:
            samples.append(Sample(path, *parsed))
    return tuple(samples), tuple(left_out)


def in_order(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Sorted by path, whatever order a list file or a file system gives."""
    return tuple(sorted(samples, key=lambda sample: sample.path.as_posix()))


def take_listed(
    path: Path,
    parsed: tuple[int, int] | None,
    *,
    lister: str,
    example: str = "",
    agrees: bool = True,
) -> Sample | LeftOut:
    """What becomes of a picture that a list file names.

    Args:
        path: the picture.
        parsed: its pid and camid; ``None`` where the name is not like ``example``.
        lister: the list file's name.
        example: a right name.
        agrees: whether the list gives the picture the identity of its name.
    """
    if parsed is None:
        return LeftOut(path, Reason.NAME, example)
    if not agrees:
        return LeftOut(path, Reason.OTHER_PID, lister)
    return Sample(path, *parsed) if is_file(path) else LeftOut(path, Reason.ABSENT, lister)


def divided(
    taken: Mapping[str, Iterable[Sample | LeftOut]],
    *,
    left_out: Iterable[LeftOut] = (),
    setting: str = "",
    notes: tuple[str, ...] = (),
) -> Listing:
    """A listing of what list files name, by split, with more that was left out; see ``Listing``."""
    lists = {split: list(items) for split, items in taken.items()}
    reasons = [item for items in lists.values() for item in items if isinstance(item, LeftOut)]
    train, query, gallery = (
        in_order(item for item in lists[split] if isinstance(item, Sample))
        for split in ("train", "query", "gallery")
    )
    # Some lists name a picture twice.
    distinct = tuple(dict.fromkeys([*reasons, *left_out]))
    return Listing(train, query, gallery, distinct, setting, notes)


def read_text(file: Path) -> str:
    """A text file in UTF-8; the byte order mark that Windows puts in front is dropped."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not text in UTF-8 ({error})", "save it as UTF-8") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror})", "make it readable") from error


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
