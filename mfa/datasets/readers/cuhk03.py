"""CUHK03 (Li et al., CVPR 2014): new protocol of 767/700 (Zhong et al., CVPR 2017), and classic.

The new protocol is read from CUHK03-NP, written in Market-1501's folders, or from the pictures and
split files (``splits_new_*.json``) that deep-person-reid extracts from ``cuhk-03.mat``. The classic
protocol is read from ``splits_classic_*.json``, which the same extraction writes: 20 splits with
100 people to test on. A published figure of it is the mean over the 20, each a training of its own,
scored with one gallery picture per person (``--single-shot``).

Each is read from the pictures cut by hand (``labeled``) or by a detector (``detected``).
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from mfa.datasets.readers.folders import SPLIT_FOLDERS, read_folders
from mfa.datasets.readers.layout import Layout, draw_tree, parser
from mfa.datasets.readers.listing import LeftOut, Listing, divided, is_folder, take_listed
from mfa.errors import InputError
from mfa.files import parse_json
from mfa.records import Sample

CLASSIC_SPLITS = 20

_FOLDERS = ("cuhk03", "CUHK03-NP")

_EXAMPLE, _EXTRACTED_EXAMPLE = "0001_c1_1.png", "1_001_1_01.png"

_CLASSIC = re.compile(r"cuhk03_classic(?P<labeled>_labeled)?(_(?P<number>[0-9]{1,2}))?")

_EXTRACTED = re.compile(
    r"(?P<pair>[1-5])_(?P<person>[0-9]{3})_(?P<camid>[12])_[0-9]{2}\.(png|jpg)", re.IGNORECASE
)

# The cameras are the two of the person's pair.
parse = parser(r"(?P<pid>[0-9]{4})_c(?P<camid>[12])_[0-9]{1,5}\.(png|jpg|jpeg|bmp)")


def _parse_extracted(name: str) -> tuple[int, int] | None:
    """``1_001_2_06.png`` is person 1001, the first of camera pair 1, by its second camera."""
    match = _EXTRACTED.fullmatch(name)
    if match is None or not int(match["person"]):
        return None
    return 1000 * int(match["pair"]) + int(match["person"]), int(match["camid"])


def _read_new(folder: Path, setting: str) -> Listing:
    places = {split: f"{setting}/{place}" for split, place in SPLIT_FOLDERS.items()}
    if all(is_folder(folder / place) for place in places.values()):
        found = read_folders(folder, [places], parse, _EXAMPLE)
    else:
        found = _read_split(folder, setting, "new")
    return replace(found, setting=setting, notes=(*found.notes, f"the {setting} pictures"))


def _read_classic(folder: Path, setting: str, number: int) -> Listing:
    """Read one split, which searches from the first camera of each pair to the second.

    The file lists every test picture both as query and as gallery; a picture would then find
    itself wherever no camera filter is applied.
    """
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


def _read_split(folder: Path, setting: str, protocol: str, number: int = 1) -> Listing:
    """Read a split file; only the names in its paths count, since it holds another machine's.

    The file numbers people anew in each list, so equal numbers are different people. Identities are
    therefore read from the names, where camera pair and person in it are unique.
    """
    file = folder / f"splits_{protocol}_{setting}.json"
    try:
        split = parse_json(file.read_text(encoding="utf-8"))[number - 1]
        rows = {name: [(str(row[0]), int(row[1])) for row in split[name]] for name in SPLIT_FOLDERS}
    except (OSError, ValueError, LookupError, TypeError, OverflowError) as error:
        raise InputError(
            f"{file} is not a split file of CUHK03 with a split {number} ({error})",
            "extract it again with deep-person-reid",
        ) from error
    taken: dict[str, list[Sample | LeftOut]] = {}
    for name, entries in rows.items():
        taken[name] = []
        known: set[tuple[int, int]] = set()
        for place, label in entries:
            path = folder / f"images_{setting}" / PurePosixPath(place.replace("\\", "/")).name
            parsed = _parse_extracted(path.name)
            agrees = parsed is None or _one_to_one(known, parsed[0], label)
            taken[name].append(
                take_listed(
                    path, parsed, lister=file.name, example=_EXTRACTED_EXAMPLE, agrees=agrees
                )
            )
    return divided(
        taken,
        notes=(
            "identities are read from the names: 1000 times the camera pair plus the person in it",
        ),
    )


def _one_to_one(known: set[tuple[int, int]], pid: int, label: int) -> bool:
    """Whether no other person had this label and this person no other; remembers the two."""
    if (pid, label) in known:
        return True
    if any(pid == p or label == n for p, n in known):
        return False
    known.add((pid, label))
    return True


def _new_layout(name: str, setting: str) -> Layout:
    files = (f"images_{setting}", f"splits_new_{setting}.json")
    folders = tuple(f"{setting}/{place}" for place in SPLIT_FOLDERS.values())
    return Layout(
        name=name,
        title=f"CUHK03 ({setting}, new protocol)",
        folders=_FOLDERS,
        needs=(folders, files),
        tree=draw_tree("cuhk03", {f"{place}/": f"{_EXAMPLE} ..." for place in folders})
        + f"\nor, as deep-person-reid extracts it: cuhk03/{files[0]}/ and cuhk03/{files[1]}",
        example=_EXAMPLE,
        advice="get CUHK03-NP, or extract the raw file cuhk-03.mat with deep-person-reid, which "
        f"writes {files[0]}/ and {files[1]} beside it: the raw file itself is not read (see "
        "data/README.md)",
        parse=parse,
        read=partial(_read_new, setting=setting),
        counts="cuhk03",
    )


DETECTED = _new_layout("cuhk03_detected", "detected")
LABELED = _new_layout("cuhk03_labeled", "labeled")
PLAIN = replace(DETECTED, name="cuhk03")
"""The detected pictures, which other libraries mean by the bare name; its notes say so."""


def classic_layout(name: str) -> Layout | None:
    """The layout of a split: ``cuhk03_classic_7``, ``cuhk03_classic_labeled_20``; 1 by default."""
    match = _CLASSIC.fullmatch(name)
    if match is None or not 1 <= (number := int(match["number"] or 1)) <= CLASSIC_SPLITS:
        return None
    setting = "labeled" if match["labeled"] else "detected"
    images, splits = f"images_{setting}", f"splits_classic_{setting}.json"
    return Layout(
        name=name,
        title=f"CUHK03 ({setting}, classic split {number})",
        folders=_FOLDERS,
        needs=((images, splits),),
        tree=draw_tree("cuhk03", {f"{images}/": f"{_EXTRACTED_EXAMPLE} ...", splits: ""}),
        example=_EXTRACTED_EXAMPLE,
        advice="extract the raw file cuhk-03.mat with deep-person-reid, which writes "
        f"{images}/ and {splits} beside it (see data/README.md)",
        parse=_parse_extracted,
        read=partial(_read_classic, setting=setting, number=number),
    )
