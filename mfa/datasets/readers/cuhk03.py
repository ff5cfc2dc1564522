"""CUHK03 (Li et al., CVPR 2014) under the new protocol of 767/700 (Zhong et al., CVPR 2017).

Two layouts are read: CUHK03-NP, written in Market-1501's folders, and the pictures and split files
(``splits_new_*.json``) that deep-person-reid extracts from ``cuhk-03.mat``. The classic protocol
is ``mfa.datasets.readers.cuhk03_classic``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import Listing, in_order
from mfa.datasets.readers.market1501 import SPLIT_FOLDERS, read_three_folders
from mfa.datasets.readers.places import is_file
from mfa.errors import InputError
from mfa.records import Sample

_NAME = re.compile(
    r"(?P<pid>[0-9]{4})_c(?P<camid>[12])_[0-9]{1,5}\.(png|jpg|jpeg|bmp)", re.IGNORECASE
)
_EXTRACTED = re.compile(
    r"(?P<pair>[1-5])_(?P<person>[0-9]{3})_(?P<camid>[12])_[0-9]{2}\.(png|jpg)", re.IGNORECASE
)

_EXAMPLE = "0001_c1_1.png"

EXTRACTED = "1_001_1_01.png"

FOLDERS = ("cuhk03", "cuhk03-np", "CUHK03-NP", "cuhk03_np", "cuhk-03")


def parse(name: str) -> tuple[int, int] | None:
    """``0001_c1_1.png`` is person 1 on camera 1 (of the two of its pair)."""
    match = _NAME.fullmatch(name)
    return (int(match["pid"]), int(match["camid"])) if match and int(match["pid"]) else None


def _reader(setting: str) -> Callable[[Path], Listing]:
    """A reader of the pictures cut by hand (``labeled``) or by a detector (``detected``)."""

    def read(folder: Path) -> Listing:
        if (folder / setting).is_dir():
            found = read_three_folders(folder / setting, parse, _EXAMPLE)
        else:
            found = read_split(folder, setting, "new")
        return replace(found, setting=setting, notes=(*found.notes, f"the {setting} pictures"))

    return read


def read_split(folder: Path, setting: str, protocol: str, number: int = 1) -> Listing:
    """Read a split file; only the names in its paths count, since it holds another machine's.

    The file numbers people anew in each list, so equal numbers are different people. A person is
    therefore told by the name, which is unique: camera pair and place in it.

    Args:
        folder: holds ``images_SETTING`` and ``splits_PROTOCOL_SETTING.json``.
        setting: labeled or detected.
        protocol: new or classic.
        number: which of the file's splits, from 1.

    Raises:
        InputError: the file cannot be read, is something else, or has no such split.
    """
    file = folder / f"splits_{protocol}_{setting}.json"
    left_out: list[tuple[Path, str]] = []
    lists: dict[str, list[Sample]] = {}
    for name, entries in _split(file, number).items():
        lists[name] = []
        known: set[tuple[int, int]] = set()
        for place, label in entries:
            path = folder / f"images_{setting}" / PurePosixPath(place.replace("\\", "/")).name
            parsed = parse_extracted(path.name)
            if parsed is None:
                left_out.append((path, f"the name is not like {EXTRACTED}"))
            elif not _one_to_one(known, parsed[0], label):
                left_out.append((path, f"{file.name} gives it another identity than its name"))
            elif not is_file(path):
                left_out.append((path, f"{file.name} lists it and it is not there"))
            else:
                lists[name].append(Sample(path, *parsed))
    return Listing(
        train=in_order(lists["train"]),
        query=in_order(lists["query"]),
        gallery=in_order(lists["gallery"]),
        left_out=tuple(dict.fromkeys(left_out)),  # the classic protocol lists test pictures twice
        notes=(
            "identities are read from the names: 1000 times the camera pair plus the person in it",
        ),
    )


def _split(file: Path, number: int) -> dict[str, list[tuple[str, int]]]:
    """(path, label) of every picture by list."""
    try:
        split = json.loads(file.read_text(encoding="utf-8"))[number - 1]
        return {name: [(str(row[0]), int(row[1])) for row in split[name]] for name in SPLIT_FOLDERS}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"{file} is not a split file of CUHK03 with a split {number} ({error}); extract it "
            "again with deep-person-reid"
        ) from error


def parse_extracted(name: str) -> tuple[int, int] | None:
    """``1_001_2_06.png`` is person 1001, the first of camera pair 1, by its second camera."""
    match = _EXTRACTED.fullmatch(name)
    if match is None or not int(match["person"]):
        return None
    return 1000 * int(match["pair"]) + int(match["person"]), int(match["camid"])


def _one_to_one(known: set[tuple[int, int]], pid: int, label: int) -> bool:
    """Whether no other person had this label and this person no other; remembers the two."""
    if (pid, label) in known:
        return True
    if any(pid == p or label == n for p, n in known):
        return False
    known.add((pid, label))
    return True


def _layout(name: str, setting: str) -> Layout:
    return Layout(
        name=name,
        title=f"CUHK03 ({setting}, new protocol)",
        folders=FOLDERS,
        needs=(
            tuple(f"{setting}/{place}" for place in SPLIT_FOLDERS.values()),
            (f"images_{setting}", f"splits_new_{setting}.json"),
        ),
        tree=(
            "cuhk03/\n"
            f"└── {setting}/\n"
            f"    ├── bounding_box_train/   {_EXAMPLE} ...\n"
            f"    ├── query/                {_EXAMPLE} ...\n"
            f"    └── bounding_box_test/    {_EXAMPLE} ...\n"
            f"or, as deep-person-reid extracts it: cuhk03/images_{setting}/ and "
            f"cuhk03/splits_new_{setting}.json"
        ),
        example=_EXAMPLE,
        advice=(
            "get CUHK03-NP, or extract the raw file cuhk-03.mat with deep-person-reid, which "
            f"writes images_{setting}/ and splits_new_{setting}.json beside it: the raw file "
            "itself is not read (see data/README.md)"
        ),
        parse=parse,
        read=_reader(setting),
        counts="cuhk03",
    )


DETECTED = _layout("cuhk03_detected", "detected")
LABELED = _layout("cuhk03_labeled", "labeled")
PLAIN = _layout("cuhk03", "detected")
"""The detected pictures, which other libraries mean by the bare name; its notes say so."""
