"""CUHK03 (Li et al., CVPR 2014): new protocol of 767/700 (Zhong et al., CVPR 2017), and classic.

The new protocol is read from CUHK03-NP, written in Market-1501's folders, or from the pictures and
split files (``splits_new_*.json``) that deep-person-reid extracts from ``cuhk-03.mat``. The classic
protocol is read from ``splits_classic_*.json``, which the same extraction writes: 20 splits with
100 people to test on. A published figure of it is the mean over the 20, each a training of its own,
scored with one gallery picture per person (``--single-shot``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import LeftOut, Listing, Reason, in_order, is_file
from mfa.datasets.readers.market1501 import SPLIT_FOLDERS, read_three_folders
from mfa.errors import InputError
from mfa.records import Sample

_NAME = re.compile(
    r"(?P<pid>[0-9]{4})_c(?P<camid>[12])_[0-9]{1,5}\.(png|jpg|jpeg|bmp)", re.IGNORECASE
)
_EXTRACTED = re.compile(
    r"(?P<pair>[1-5])_(?P<person>[0-9]{3})_(?P<camid>[12])_[0-9]{2}\.(png|jpg)", re.IGNORECASE
)

_EXAMPLE = "0001_c1_1.png"

_EXTRACTED_EXAMPLE = "1_001_1_01.png"

CLASSIC_SPLITS = 20

_CLASSIC = re.compile(r"cuhk03_classic(?P<labeled>_labeled)?(_(?P<number>[0-9]{1,2}))?")

_FOLDERS = ("cuhk03", "cuhk03-np", "CUHK03-NP", "cuhk03_np", "cuhk-03")


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
            found = _read_split(folder, setting, "new")
        return replace(found, setting=setting, notes=(*found.notes, f"the {setting} pictures"))

    return read


def _read_split(folder: Path, setting: str, protocol: str, number: int = 1) -> Listing:
    """Read a split file; only the names in its paths count, since it holds another machine's.

    The file numbers people anew in each list, so equal numbers are different people. Identities are
    therefore read from the names, where camera pair and person in it are unique.

    Args:
        folder: holds ``images_SETTING`` and ``splits_PROTOCOL_SETTING.json``.
        setting: labeled or detected.
        protocol: new or classic.
        number: which of the file's splits, from 1.

    Raises:
        InputError: the file cannot be read, is something else, or has no such split.
    """
    file = folder / f"splits_{protocol}_{setting}.json"
    left_out: list[LeftOut] = []
    lists: dict[str, list[Sample]] = {}
    for name, entries in _split(file, number).items():
        lists[name] = []
        known: set[tuple[int, int]] = set()
        for place, label in entries:
            path = folder / f"images_{setting}" / PurePosixPath(place.replace("\\", "/")).name
            parsed = _parse_extracted(path.name)
            if parsed is None:
                left_out.append(LeftOut(path, Reason.NAME, _EXTRACTED_EXAMPLE))
            elif not _one_to_one(known, parsed[0], label):
                left_out.append(LeftOut(path, Reason.OTHER_PID, file.name))
            elif not is_file(path):
                left_out.append(LeftOut(path, Reason.ABSENT, file.name))
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
            f"{file} is not a split file of CUHK03 with a split {number} ({error})",
            "extract it again with deep-person-reid",
        ) from error


def _parse_extracted(name: str) -> tuple[int, int] | None:
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
        folders=_FOLDERS,
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


def classic_layout(name: str) -> Layout | None:
    """The layout of a split: ``cuhk03_classic_7``, ``cuhk03_classic_labeled_20``; 1 by default."""
    match = _CLASSIC.fullmatch(name)
    if match is None or not 1 <= int(match["number"] or 1) <= CLASSIC_SPLITS:
        return None
    return _classic_layout(
        name, "labeled" if match["labeled"] else "detected", int(match["number"] or 1)
    )


def _classic_layout(name: str, setting: str, number: int) -> Layout:
    needs = (f"images_{setting}", f"splits_classic_{setting}.json")
    return Layout(
        name=name,
        title=f"CUHK03 ({setting}, classic split {number})",
        folders=_FOLDERS,
        needs=(needs,),
        tree=f"cuhk03/\n├── {needs[0]}/   {_EXTRACTED_EXAMPLE} ...\n└── {needs[1]}",
        example=_EXTRACTED_EXAMPLE,
        advice=(
            "extract the raw file cuhk-03.mat with deep-person-reid, which writes "
            f"{needs[0]}/ and {needs[1]} beside it (see data/README.md)"
        ),
        parse=_parse_extracted,
        read=_classic_reader(setting, number),
    )


def _classic_reader(setting: str, number: int) -> Callable[[Path], Listing]:
    """A reader of one split, which searches from the first camera of each pair to the second.

    The file lists every test picture both as query and as gallery; a picture would then find
    itself wherever no camera filter is applied.
    """

    def read(folder: Path) -> Listing:
        found = _read_split(folder, setting, "classic", number)
        return replace(
            found,
            query=tuple(sample for sample in found.query if sample.camid == 1),
            gallery=tuple(sample for sample in found.gallery if sample.camid == 2),
            setting=f"{setting}, classic split {number}",
            notes=(
                *found.notes,
                f"split {number} of {CLASSIC_SPLITS}, the {setting} pictures; the classic protocol "
                "is the mean over the splits, each scored with --single-shot",
            ),
        )

    return read
