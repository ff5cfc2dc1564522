"""Occluded-REID (Zhuo et al., ICME 2018): 200 people, seen whole and behind something.

Two layouts are read: the archive's, with a folder per person, and the flat one of fast-reid.
"""

from __future__ import annotations

import re
from pathlib import Path

from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import (
    LeftOut,
    Listing,
    Reason,
    children,
    in_order,
    is_folder,
    parse_folder,
)
from mfa.records import NO_CAMERA, Sample

_NAME = re.compile(r"(?P<pid>[0-9]{3})_[0-9]{2}\.(tif|tiff|jpg|jpeg|png|bmp)", re.IGNORECASE)

_EXAMPLE = "001_01.tif"

_PLACES = (("occluded_body_images", "whole_body_images"), ("query", "gallery"))
"""Query and gallery folders, as published and as fast-reid renamed them."""


def parse(name: str) -> tuple[int, int] | None:
    """``001_01.tif`` is the first picture of person 1; the names tell no camera."""
    match = _NAME.fullmatch(name)
    return (int(match["pid"]), NO_CAMERA) if match and int(match["pid"]) else None


def read(folder: Path) -> Listing:
    """Queries show people behind something; the gallery whole bodies; nothing to train on."""
    pair = next(pair for pair in _PLACES if all(is_folder(folder / place) for place in pair))
    query, left_of_query = _read_side(folder / pair[0])
    gallery, left_of_gallery = _read_side(folder / pair[1])
    return Listing(query=query, gallery=gallery, left_out=left_of_query + left_of_gallery)


def _read_side(folder: Path) -> tuple[tuple[Sample, ...], tuple[LeftOut, ...]]:
    """One list: pictures in ``folder`` itself and in its folders, which are numbered by person."""
    samples, others = parse_folder(folder, parse, _EXAMPLE)
    found = list(samples)
    left_out = [item for item in others if item.reason is not Reason.FOLDER]
    for inner in filter(is_folder, children(folder)):
        samples, others = parse_folder(inner, parse, _EXAMPLE)
        left_out += others
        for sample in samples:
            if inner.name.isascii() and inner.name.isdigit() and int(inner.name) == sample.pid:
                found.append(sample)
            else:
                left_out.append(LeftOut(sample.path, Reason.OTHER_PID, "its folder"))
    return in_order(found), tuple(left_out)


LAYOUT = Layout(
    name="occluded_reid",
    title="Occluded-REID",
    folders=("occluded_reid", "Occluded_REID", "Occluded-REID", "OccludedREID", "occluded-reid"),
    needs=_PLACES,
    tree=(
        "occluded_reid/\n"
        f"├── occluded_body_images/   001/{_EXAMPLE} ...\n"
        f"└── whole_body_images/      001/{_EXAMPLE} ..."
    ),
    example=_EXAMPLE,
    advice=(
        "ask its authors for the archive, then: mfa data prepare occluded_reid --archive FILE.zip"
    ),
    parse=parse,
    read=read,
    splits=("query", "gallery"),
)
