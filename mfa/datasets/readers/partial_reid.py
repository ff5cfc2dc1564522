"""Partial-REID (Zheng et al., ICCV 2015): 60 people, seen whole, in part, and behind something."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import Listing, parse_folder
from mfa.datasets.readers.market1501 import DRAWN
from mfa.records import NO_CAMERA

_NAME = re.compile(r"(?P<pid>[0-9]{3})_[0-9]{3}(\.(jpg|jpeg|png|bmp))", re.IGNORECASE)

_EXAMPLE = "001_002.jpg"


def parse(name: str) -> tuple[int, int] | None:
    """``001_002.jpg`` is the second picture of person 1; the names tell no camera."""
    match = _NAME.fullmatch(name)
    # Identity 000 would be taken for a distractor; the set counts from 001.
    return (int(match["pid"]), NO_CAMERA) if match and int(match["pid"]) else None


def read_partial(folder: Path) -> Listing:
    """Queries show a part of the body, cut out; the gallery whole bodies; nothing to train on."""
    return _read(folder, "partial_body_images")


def read_occluded(folder: Path) -> Listing:
    """Queries show people behind something; the gallery whole bodies; nothing to train on."""
    return _read(folder, "occluded_body_images")


def _read(folder: Path, queries: str) -> Listing:
    query, left_of_query = parse_folder(folder / queries, parse, _EXAMPLE)
    gallery, left_of_gallery = parse_folder(folder / "whole_body_images", parse, _EXAMPLE)
    return Listing(query=query, gallery=gallery, left_out=left_of_query + left_of_gallery)


LAYOUT = Layout(
    name="partial_reid",
    title="Partial-REID",
    folders=(
        "partial_reid",
        "Partial-REID_Dataset",
        "Partial-REID",
        "Partial_REID",
        "PartialREID",
    ),
    # Copies that other libraries hand on often lack the queries they do not use.
    needs=(("partial_body_images", "whole_body_images"),),
    tree=(
        "partial_reid/\n"
        f"├── occluded_body_images/   {_EXAMPLE} ...\n"
        f"├── partial_body_images/    {_EXAMPLE} ...\n"
        f"└── whole_body_images/      {_EXAMPLE} ..."
    ),
    example=_EXAMPLE,
    advice=(
        "ask its authors for the archive, then: mfa data prepare partial_reid --archive FILE.zip"
    ),
    parse=parse,
    read=read_partial,
    splits=("query", "gallery"),
    counts="partial_reid",
)

_OCCLUDED_NEEDS = (("occluded_body_images", "whole_body_images"),)

OCCLUDED = replace(LAYOUT, name="partial_reid_occluded", needs=_OCCLUDED_NEEDS, read=read_occluded)

SYNTHETIC = replace(
    LAYOUT,
    name="synthetic_partial",
    title="synthetic partial set",
    folders=("synthetic_partial",),
    needs=((*LAYOUT.needs[0], DRAWN),),
    tree=LAYOUT.tree.replace("partial_reid/", "synthetic_partial/")
    + f"\nand {DRAWN}, the record of its drawing",
    advice="make it: mfa data make synthetic_partial",
    counts="",
)

SYNTHETIC_OCCLUDED = replace(
    SYNTHETIC,
    name="synthetic_partial_occluded",
    needs=((*_OCCLUDED_NEEDS[0], DRAWN),),
    read=read_occluded,
)
