"""Market-1501 (Zheng et al., ICCV 2015), and the synthetic set, which is written in its layout."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import Listing, Parse, parse_folder
from mfa.records import Sample

DRAWN = "synthetic.json"
"""The record that the drawing of a synthetic set leaves in its folder."""

SPLIT_FOLDERS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}

_NAME = re.compile(
    r"(?P<pid>-1|[0-9]{4})_c(?P<camid>[0-9]{1,2})s[0-9]{1,2}_[0-9]{6}_[0-9]{2}"
    r"(\.(jpg|jpeg|png|bmp)){1,2}",
    re.IGNORECASE,
)
# Identity 1488 and a few others were published with names that end in .jpg.jpg, hence {1,2}.


def parse(name: str) -> tuple[int, int] | None:
    """``0002_c1s1_000451_03.jpg`` is person 2 on camera 1; ``-1`` is junk, ``0000`` a distractor.

    The whole name must fit, so that no other dataset's name is read as a wrong identity.
    """
    match = _NAME.fullmatch(name)
    return (int(match["pid"]), int(match["camid"])) if match else None


def read_three_folders(folder: Path, parse: Parse, example: str) -> Listing:
    """Read the layout that Market-1501 began and others took over.

    Args:
        folder: holds bounding_box_train, query and bounding_box_test.
        parse: file name to (pid, camid).
        example: a right name, for the reasons of what is left out.
    """
    found = {
        split: parse_folder(folder / name, parse, example) for split, name in SPLIT_FOLDERS.items()
    }
    return Listing(
        train=found["train"][0],
        query=found["query"][0],
        gallery=found["gallery"][0],
        left_out=tuple(item for _, left_out in found.values() for item in left_out),
    )


_EXAMPLE = "0002_c1s1_000451_03.jpg"


def read(folder: Path) -> Listing:
    """List the pictures of a folder in Market-1501's layout."""
    return read_three_folders(folder, parse, _EXAMPLE)


def further_queries(folder: Path, queries: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """The pictures in ``gt_bbox`` of the people in ``queries``, for the multi-query protocol.

    Returns:
        Samples sorted by name; empty where there is no such folder, as in most copies.
    """
    if not (folder / "gt_bbox").is_dir():
        return ()
    wanted = {query.pid for query in queries}
    samples, _ = parse_folder(folder / "gt_bbox", parse, _EXAMPLE)
    return tuple(sample for sample in samples if sample.pid in wanted)


def tree(folder: str, example: str) -> str:
    """The layout of three folders, drawn."""
    return (
        f"{folder}/\n"
        f"├── bounding_box_train/   {example} ...\n"
        f"├── query/                {example} ...\n"
        f"└── bounding_box_test/    {example} ..."
    )


LAYOUT = Layout(
    name="market1501",
    title="Market-1501",
    folders=(
        "market1501",
        "Market-1501-v15.09.15",
        "Market-1501",
        "Market1501",
        "market-1501-v15.09.15",
        "market_1501",
    ),
    needs=(tuple(SPLIT_FOLDERS.values()),),
    tree=tree("market1501", _EXAMPLE),
    example=_EXAMPLE,
    advice="ask its authors for the archive, then: mfa data prepare market1501 --archive FILE.zip",
    parse=parse,
    read=read,
    counts="market1501",
)

SYNTHETIC = replace(
    LAYOUT,
    name="synthetic",
    title="synthetic set",
    folders=("synthetic",),
    # Without the record of its drawing a folder could be a real dataset in the same layout, whose
    # pictures would pass as drawn ones.
    needs=((*SPLIT_FOLDERS.values(), DRAWN),),
    tree=tree("synthetic", _EXAMPLE) + f"\nand {DRAWN}, the record of its drawing",
    advice="make it: mfa data make synthetic",
    counts="",
)
