"""MSMT17 (Wei et al., CVPR 2018), V1 and V2 (the same pictures with the faces masked)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import LeftOut, Listing, Reason, in_order, is_file, is_litter
from mfa.errors import InputError
from mfa.records import Sample

_NAME = re.compile(
    r"(?P<pid>[0-9]{4})_[0-9]{3}_(?P<camid>[0-9]{2})_[0-9a-z_]+\.(jpg|jpeg|png)", re.IGNORECASE
)

_ROW = re.compile(r"(?P<path>.*\S)\s+(?P<label>[0-9]{1,6})")

_EXAMPLE = "0000_000_01_0303morning_0008_0.jpg"

_LISTS = ("list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt")

_VERSIONS = {"V1": ("train", "test"), "V2": ("mask_train_v2", "mask_test_v2")}
"""Training and test folder of each version."""


def parse(name: str) -> tuple[int, int] | None:
    """``0000_000_01_0303morning_0008_0.jpg`` is person 0 on camera 1.

    Identities are published from 0; 1 is added, because 0 means a distractor in this package.
    """
    match = _NAME.fullmatch(name)
    return (int(match["pid"]) + 1, int(match["camid"])) if match else None


def read(folder: Path) -> Listing:
    """Read the four list files; training takes list_train and list_val, as published counts do.

    Raises:
        InputError: a list file cannot be read, a row of one is not ``path identity``, or both
            versions lie in one folder.
    """
    found = [
        version
        for version, places in _VERSIONS.items()
        if all((folder / place).is_dir() for place in places)
    ]
    if len(found) > 1:
        raise InputError(
            f"{folder} holds V1 (train, test) and V2 (mask_train_v2, mask_test_v2) of MSMT17, "
            "which share one set of list files",
            "move each version with its lists into a folder of its own",
        )
    train_folder, test_folder = (folder / place for place in _VERSIONS[found[0]])
    lists, left_out = {}, []
    for name in _LISTS:
        images = train_folder if name in ("list_train.txt", "list_val.txt") else test_folder
        lists[name], others = _read_list(folder / name, images)
        left_out += others
    listed = {sample.path for samples in lists.values() for sample in samples}
    left_out += _unlisted(train_folder, listed)
    left_out += _unlisted(test_folder, listed)
    return Listing(
        train=in_order(lists["list_train.txt"] + lists["list_val.txt"]),
        query=in_order(lists["list_query.txt"]),
        gallery=in_order(lists["list_gallery.txt"]),
        left_out=tuple(left_out),
        setting=found[0],
        notes=(
            f"this is {found[0]}; identities are the published numbers plus 1, and those of "
            "training and test are different people with the same numbers",
        ),
    )


def _read_list(file: Path, images: Path) -> tuple[list[Sample], list[LeftOut]]:
    """Samples of one list file, and the rows that cannot be used with the reason."""
    samples: list[Sample] = []
    left_out: list[LeftOut] = []
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        row = _ROW.fullmatch(line.strip())
        if row is None:
            raise InputError(
                f"{file}, line {number}: expected 'folder/name.jpg identity', got {line!r}",
                "get the list file again",
            )
        place, label = row["path"], row["label"]
        path = images / place.replace("\\", "/")
        parsed = parse(path.name)
        if ".." in path.parts:
            raise InputError(f"{file}, line {number} leads outside {images}: {place!r}")
        if parsed is None:
            left_out.append(LeftOut(path, Reason.NAME, _EXAMPLE))
        elif parsed[0] != int(label) + 1:
            left_out.append(LeftOut(path, Reason.OTHER_PID, file.name))
        elif not is_file(path):
            left_out.append(LeftOut(path, Reason.ABSENT, file.name))
        else:
            samples.append(Sample(path, *parsed))
    return samples, left_out


def _lines(file: Path) -> list[str]:
    try:
        # utf-8-sig: an editor on Windows may have put a byte order mark in front.
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not text in UTF-8 ({error})", "get the list again") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror})", "make it readable") from error


def _unlisted(images: Path, listed: set[Path]) -> Iterator[LeftOut]:
    for path in sorted(images.glob("*/*")):
        if path not in listed and not is_litter(path.name) and not is_litter(path.parent.name):
            yield LeftOut(path, Reason.UNLISTED)


LAYOUT = Layout(
    name="msmt17",
    title="MSMT17",
    folders=("msmt17", "MSMT17_V1", "MSMT17_V2"),
    needs=tuple((*places, *_LISTS) for places in _VERSIONS.values()),
    tree=(
        "msmt17/\n"
        f"├── train/            0000/{_EXAMPLE} ...   (V2: mask_train_v2/)\n"
        f"├── test/             0000/{_EXAMPLE} ...   (V2: mask_test_v2/)\n"
        "├── list_train.txt\n"
        "├── list_val.txt\n"
        "├── list_query.txt\n"
        "└── list_gallery.txt"
    ),
    example=_EXAMPLE,
    advice="ask its authors for the archive with its list files (see data/README.md)",
    parse=parse,
    read=read,
    counts="msmt17",
    shared_pids="nothing",
)
