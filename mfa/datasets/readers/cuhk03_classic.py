"""CUHK03 (Li et al., CVPR 2014) under its classic protocol: 20 splits with 100 people to test on.

Read from the pictures and split files (``splits_classic_*.json``) that deep-person-reid extracts
from ``cuhk-03.mat``, whose ``testsets`` are the splits. A published figure is the mean over the 20,
each a training of its own, scored with one gallery picture a person (``--single-shot``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mfa.datasets.readers.cuhk03 import EXTRACTED, FOLDERS, parse_extracted, read_split
from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import Listing

SPLITS = 20

_NAME = re.compile(r"cuhk03_classic(?P<labeled>_labeled)?(_(?P<number>[0-9]{1,2}))?")


def _reader(setting: str, number: int) -> Callable[[Path], Listing]:
    """A reader of one split, which searches from the first camera of each pair to the second.

    The file lists every test picture both as query and as gallery; a picture would then find
    itself wherever no camera filter is applied.
    """

    def read(folder: Path) -> Listing:
        found = read_split(folder, setting, "classic", number)
        return replace(
            found,
            query=tuple(sample for sample in found.query if sample.camid == 1),
            gallery=tuple(sample for sample in found.gallery if sample.camid == 2),
            setting=f"{setting}, classic split {number}",
            notes=(
                *found.notes,
                f"split {number} of {SPLITS}, the {setting} pictures; the classic protocol is the "
                "mean over the splits, each scored with --single-shot",
            ),
        )

    return read


def _layout(name: str, setting: str, number: int) -> Layout:
    needs = (f"images_{setting}", f"splits_classic_{setting}.json")
    return Layout(
        name=name,
        title=f"CUHK03 ({setting}, classic split {number})",
        folders=FOLDERS,
        needs=(needs,),
        tree=f"cuhk03/\n├── {needs[0]}/   {EXTRACTED} ...\n└── {needs[1]}",
        example=EXTRACTED,
        advice=(
            "extract the raw file cuhk-03.mat with deep-person-reid, which writes "
            f"{needs[0]}/ and {needs[1]} beside it (see data/README.md)"
        ),
        parse=parse_extracted,
        read=_reader(setting, number),
    )


def layout(name: str) -> Layout | None:
    """The layout of a split: ``cuhk03_classic_7``, ``cuhk03_classic_labeled_20``; 1 by default."""
    match = _NAME.fullmatch(name)
    if match is None or not 1 <= int(match["number"] or 1) <= SPLITS:
        return None
    return _layout(name, "labeled" if match["labeled"] else "detected", int(match["number"] or 1))
