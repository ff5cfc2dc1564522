"""Partial-iLIDS (Zheng et al., CVPR 2011; He et al., CVPR 2018): 119 people at an airport."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import Listing, parse_folder
from mfa.records import NO_CAMERA

_NAME = re.compile(r"(?P<pid>[0-9]{1,3})(_[0-9]{1,3})?\.(jpg|jpeg|png|bmp)", re.IGNORECASE)

_EXAMPLE = "1.jpg"

_PLACES = (("Probe", "Gallery"), ("probe", "gallery"), ("query", "gallery"))
"""Query and gallery folders, as published and as fast-reid and others renamed them."""


def parse(name: str) -> tuple[int, int] | None:
    """``17.jpg`` is person 17; the camera follows from the folder."""
    match = _NAME.fullmatch(name)
    return (int(match["pid"]), NO_CAMERA) if match and int(match["pid"]) else None


def read(folder: Path) -> Listing:
    """Queries are the occluded pictures of one camera, the gallery whole ones of another."""
    probe, gallery = next(
        pair for pair in _PLACES if all((folder / place).is_dir() for place in pair)
    )
    queries, left_of_queries = parse_folder(folder / probe, parse, _EXAMPLE)
    others, left_of_others = parse_folder(folder / gallery, parse, _EXAMPLE)
    return Listing(
        query=tuple(replace(sample, camid=1) for sample in queries),
        gallery=tuple(replace(sample, camid=2) for sample in others),
        left_out=left_of_queries + left_of_others,
    )


LAYOUT = Layout(
    name="partial_ilids",
    title="Partial-iLIDS",
    folders=("partial_ilids", "Partial_iLIDS", "Partial-iLIDS", "PartialiLIDS", "partial-ilids"),
    needs=_PLACES,
    tree=(f"partial_ilids/\n├── Probe/     {_EXAMPLE} ...\n└── Gallery/   {_EXAMPLE} ..."),
    example=_EXAMPLE,
    advice="ask its authors (see data/README.md) and unpack it by hand into the data root",
    parse=parse,
    read=read,
    splits=("query", "gallery"),
    counts="partial_ilids",
)
