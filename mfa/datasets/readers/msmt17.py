"""MSMT17 (Wei et al., CVPR 2018), V1 and V2 (the same pictures with the faces masked)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mfa.datasets.readers.layout import Layout, draw_tree, parser
from mfa.datasets.readers.listing import (
    LeftOut,
    Listing,
    Reason,
    divided,
    is_folder,
    is_litter,
    read_text,
    take_listed,
)
from mfa.errors import InputError
from mfa.records import Sample

_ROW = re.compile(r"(?P<path>.*\S)\s+(?P<label>[0-9]{1,6})")

_EXAMPLE = "0000_000_01_0303morning_0008_0.jpg"

_LISTS = ("list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt")

_VERSIONS = {"V1": ("train", "test"), "V2": ("mask_train_v2", "mask_test_v2")}
"""Training and test folder of each version."""

# Identities are published from 0, which means a distractor in this package.
parse = parser(r"(?P<pid>[0-9]{4})_[0-9]{3}_(?P<camid>[0-9]{2})_[0-9a-z_]+\.(jpg|jpeg|png)", add=1)


def read(folder: Path) -> Listing:
    """Read the four list files; training takes list_train and list_val, as published counts do."""
    found = [v for v, places in _VERSIONS.items() if all(is_folder(folder / p) for p in places)]
    if len(found) > 1:
        raise InputError(
            f"{folder} holds V1 (train, test) and V2 (mask_train_v2, mask_test_v2) of MSMT17, "
            "which share one set of list files",
            "move each version with its lists into a folder of its own",
        )
    train, test = (folder / place for place in _VERSIONS[found[0]])
    places = dict(zip(_LISTS, (train, train, test, test), strict=True))
    lists = {name: _read_list(folder / name, images) for name, images in places.items()}
    listed = {item.path for items in lists.values() for item in items if isinstance(item, Sample)}
    return divided(
        {
            "train": [*lists["list_train.txt"], *lists["list_val.txt"]],
            "query": lists["list_query.txt"],
            "gallery": lists["list_gallery.txt"],
        },
        left_out=[*_unlisted(train, listed), *_unlisted(test, listed)],
        setting=found[0],
        notes=(
            f"this is {found[0]}; identities are the published numbers plus 1, and those of "
            "training and test are different people with the same numbers",
        ),
    )


def _read_list(file: Path, images: Path) -> list[Sample | LeftOut]:
    """The rows of one list file."""
    taken = []
    for number, line in enumerate(read_text(file).splitlines(), 1):
        if not line.strip():
            continue
        row = _ROW.fullmatch(line.strip())
        if row is None:
            raise InputError(
                f"{file}, line {number}: expected 'folder/name.jpg identity', got {line!r}",
                "get the list file again",
            )
        path = images / row["path"].replace("\\", "/")
        if ".." in path.parts:
            raise InputError(f"{file}, line {number} leads outside {images}: {row['path']!r}")
        parsed, label = parse(path.name), int(row["label"]) + 1
        agrees = parsed is None or parsed[0] == label
        taken.append(take_listed(path, parsed, lister=file.name, example=_EXAMPLE, agrees=agrees))
    return taken


def _unlisted(images: Path, listed: set[Path]) -> Iterator[LeftOut]:
    for path in sorted(images.glob("*/*")):
        if path not in listed and not is_litter(path.name) and not is_litter(path.parent.name):
            yield LeftOut(path, Reason.UNLISTED)


LAYOUT = Layout(
    name="msmt17",
    title="MSMT17",
    folders=("msmt17", "MSMT17_V1", "MSMT17_V2"),
    needs=tuple((*places, *_LISTS) for places in _VERSIONS.values()),
    tree=draw_tree(
        "msmt17",
        {
            "train/": f"0000/{_EXAMPLE} ...   (V2: mask_train_v2/)",
            "test/": f"0000/{_EXAMPLE} ...   (V2: mask_test_v2/)",
            **dict.fromkeys(_LISTS, ""),
        },
    ),
    example=_EXAMPLE,
    advice="ask its authors for the archive with its list files (see data/README.md)",
    parse=parse,
    read=read,
    counts="msmt17",
    shared_pids="nothing",
)
