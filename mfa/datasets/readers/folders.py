"""Datasets that are a folder per list, with the labels in the names of the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mfa.datasets.readers.layout import Layout, draw_tree, parser
from mfa.datasets.readers.listing import (
    LeftOut,
    Listing,
    Parse,
    Reason,
    in_order,
    is_folder,
    parse_folder,
)
from mfa.records import Sample

DRAWN = "synthetic.json"
"""The record that the drawing of a synthetic set leaves in its folder. Without it the folder could
be a real dataset in the same layout, whose pictures would pass as drawn ones."""

SPLIT_FOLDERS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}
"""The layout that Market-1501 began and others took over."""


def read_folders(
    folder: Path,
    versions: Sequence[Mapping[str, str]],
    parse: Parse,
    example: str,
    *,
    cameras: Mapping[str, int] = MappingProxyType({}),
    by_person: bool = False,
) -> Listing:
    """Read one folder per list.

    Args:
        folder: holds them.
        versions: alternatives, each the folder of each list; the first that is there is read.
        parse: file name to (pid, camid).
        example: a right name, for the reasons of what is left out.
        cameras: the camera of each list, where names do not tell it.
        by_person: pictures may lie in folders that are numbered by person.
    """
    version = next(v for v in versions if all(is_folder(folder / place) for place in v.values()))
    read = _parse_people if by_person else parse_folder
    lists: dict[str, tuple[Sample, ...]] = {"train": ()}
    left_out: list[LeftOut] = []
    for split, place in version.items():
        lists[split], others = read(folder / place, parse, example)
        left_out += others
    for split, camid in cameras.items():
        lists[split] = tuple(replace(sample, camid=camid) for sample in lists[split])
    return Listing(lists["train"], lists["query"], lists["gallery"], tuple(left_out))


def _parse_people(
    folder: Path, parse: Parse, example: str
) -> tuple[tuple[Sample, ...], tuple[LeftOut, ...]]:
    """As ``parse_folder``, with the pictures in the folders of single people."""
    samples, others = parse_folder(folder, parse, example)
    found, left_out = list(samples), []
    for item in others:
        if item.reason is not Reason.FOLDER:
            left_out.append(item)
            continue
        samples, inner = parse_folder(item.path, parse, example)
        left_out += inner
        for sample in samples:
            if item.path.name.lstrip("0") == str(sample.pid):
                found.append(sample)
            else:
                left_out.append(LeftOut(sample.path, Reason.OTHER_PID, "its folder"))
    return in_order(found), tuple(left_out)


def further_queries(folder: Path, queries: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """The pictures in Market-1501's ``gt_bbox`` of the people in ``queries``, sorted by name.

    They serve the multi-query protocol. Most copies lack that folder; they give none.
    """
    if not is_folder(folder / "gt_bbox"):
        return ()
    wanted = {query.pid for query in queries}
    samples, _ = parse_folder(folder / "gt_bbox", MARKET1501.parse, MARKET1501.example)
    return tuple(sample for sample in samples if sample.pid in wanted)


def _layout(
    name: str,
    title: str,
    other_names: tuple[str, ...],
    pattern: str,
    example: str,
    versions: Sequence[Mapping[str, str]],
    *,
    advice: str = "",
    lowest: int = 1,
    **how: Any,
) -> Layout:
    """A row of the table below; ``how`` goes to ``read_folders``."""
    command = f"mfa data prepare {name} --archive FILE.zip"
    parse = parser(pattern, lowest=lowest)
    return Layout(
        name=name,
        title=title,
        folders=(name, *other_names),
        needs=tuple(tuple(version.values()) for version in versions),
        tree=draw_tree(name, {f"{place}/": f"{example} ..." for place in versions[0].values()}),
        example=example,
        advice=advice or f"ask its authors for the archive, then: {command}",
        parse=parse,
        read=partial(read_folders, versions=versions, parse=parse, example=example, **how),
        splits=tuple(versions[0]),
        counts=name,
    )


def _drawn(layout: Layout, name: str, title: str) -> Layout:
    """The synthetic set that is written in the layout of a real one."""
    folder = name.removesuffix("_occluded")
    return replace(
        layout,
        name=name,
        title=title,
        folders=(folder,),
        needs=tuple((*parts, DRAWN) for parts in layout.needs),
        tree=layout.tree.replace(f"{layout.folders[0]}/", f"{folder}/", 1)
        + f"\nand {DRAWN}, the record of its drawing",
        advice=f"make it: mfa data make {folder}",
        counts="",
    )


MARKET1501 = _layout(
    "market1501",
    "Market-1501",
    ("Market-1501-v15.09.15",),
    # Junk is -1, a distractor 0000. Some names were published with .jpg.jpg, as of identity 1488.
    r"(?P<pid>-1|[0-9]{4})_c(?P<camid>[0-9]{1,2})s[0-9]{1,2}_[0-9]{6}_[0-9]{2}"
    r"(\.(jpg|jpeg|png|bmp)){1,2}",
    "0002_c1s1_000451_03.jpg",
    [SPLIT_FOLDERS],
    lowest=-1,
)
"""Zheng et al., ICCV 2015."""

DUKEMTMC = _layout(
    "dukemtmc",
    "DukeMTMC-reID",
    ("DukeMTMC-reID",),
    r"(?P<pid>[0-9]{4})_c(?P<camid>[1-8])_f[0-9]{7}\.(jpg|jpeg|png|bmp)",
    "0001_c2_f0046182.jpg",
    [SPLIT_FOLDERS],
    advice="its owners withdrew it, so a copy can only come from your own group",
)
"""Zheng et al., ICCV 2017. Its owners withdrew the data in 2019 for the privacy of the people
filmed. This serves those who hold it and may use it; nothing here fetches it."""


def _partial_reid(name: str, queries: str) -> Layout:
    row = _layout(
        "partial_reid",
        "Partial-REID",
        ("Partial-REID_Dataset",),
        r"(?P<pid>[0-9]{3})_[0-9]{3}\.(jpg|jpeg|png|bmp)",
        "001_002.jpg",
        [{"query": queries, "gallery": "whole_body_images"}],
    )
    return replace(row, name=name)


# Zheng et al., ICCV 2015: 60 people, seen whole, in part (cut out), and behind something. Copies
# often lack the queries that are not used.
PARTIAL_REID = _partial_reid("partial_reid", "partial_body_images")
PARTIAL_REID_OCCLUDED = _partial_reid("partial_reid_occluded", "occluded_body_images")

OCCLUDED_REID = _layout(
    "occluded_reid",
    "Occluded-REID",
    (),
    r"(?P<pid>[0-9]{3})_[0-9]{2}\.(tif|tiff|jpg|jpeg|png|bmp)",
    "001_01.tif",
    [
        {"query": "occluded_body_images", "gallery": "whole_body_images"},
        {"query": "query", "gallery": "gallery"},  # as fast-reid has it
    ],
    by_person=True,
)
"""Zhuo et al., ICME 2018: 200 people, seen whole and behind something."""

PARTIAL_ILIDS = _layout(
    "partial_ilids",
    "Partial-iLIDS",
    (),
    r"(?P<pid>[0-9]{1,3})(_[0-9]{1,3})?\.(jpg|jpeg|png|bmp)",
    "1.jpg",
    [
        {"query": "Probe", "gallery": "Gallery"},
        {"query": "probe", "gallery": "gallery"},
        {"query": "query", "gallery": "gallery"},
    ],
    advice="ask its authors (see data/README.md) and unpack it by hand into the data root",
    cameras={"query": 1, "gallery": 2},
)
"""Zheng et al., CVPR 2011; He et al., CVPR 2018: 119 people at an airport."""

SYNTHETIC = _drawn(MARKET1501, "synthetic", "synthetic set")
SYNTHETIC_PARTIAL = _drawn(PARTIAL_REID, "synthetic_partial", "synthetic partial set")
SYNTHETIC_PARTIAL_OCCLUDED = _drawn(
    PARTIAL_REID_OCCLUDED, "synthetic_partial_occluded", "synthetic partial set"
)
