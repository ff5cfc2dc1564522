"""Make the table of a folder of your own: names parsed by a pattern, people split by a seed."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mfa.datasets.readers.custom import NOBODY, SPLITS, Row
from mfa.datasets.readers.listing import PICTURE_SUFFIXES, children, is_picture
from mfa.datasets.readers.places import is_folder, printable
from mfa.datasets.readers.summary import counted
from mfa.errors import InputError

PATTERNS = {
    "market": r"(.*/)?(?P<pid>-1|[0-9]+)_c(?P<camid>[0-9]+).*",
    "folders": r"(.*/)?(?P<pid>[^/]+)/[^/]+",
    "cameras-in-folders": r"(.*/)?(?P<pid>[^/]+)/(?P<camid>[^/]+)/[^/]+",
    "prefix": r"(.*/)?(?P<pid>[^/_]+)_[^/]*",
}
"""Patterns by name: Market-1501's names (0000 is a distractor, -1 junk), a folder per person, a
folder per person and camera, and the person before the first underscore."""

_SPLIT_FOLDERS = {"bounding_box_train": "train", "bounding_box_test": "gallery"}
"""Market-1501's folder names, where a pattern reads the split from them."""


@dataclass(frozen=True)
class Parsed:
    """What a pattern made of a folder.

    Attributes:
        rows: pictures whose path fits; the split is empty unless the pattern tells it.
        unfit: paths of pictures that do not fit.
    """

    rows: tuple[Row, ...]
    unfit: tuple[str, ...]


def parse_tree(root: Path, pattern: str) -> Parsed:
    """Apply a pattern to the path of every picture below ``root``.

    Args:
        root: any folder; links are not followed.
        pattern: one of ``PATTERNS``, or a regular expression with the group ``pid`` and, if you
            like, ``camid`` and ``split``. It must fit the whole path below ``root``, written with
            ``/``.

    Raises:
        InputError: the folder is missing, holds no pictures or a folder that cannot be listed; the
            pattern is no regular expression, or has no group ``pid``; or it fits no picture.
    """
    compiled = _compile(pattern)
    if not is_folder(root):
        raise InputError(f"{root} is not a folder; name the folder your pictures are in")
    paths = [path.relative_to(root).as_posix() for path in _pictures(root)]
    if not paths:
        raise InputError(
            f"{root} and its folders hold no pictures ({', '.join(sorted(PICTURE_SUFFIXES))})"
        )
    rows, unfit = [], []
    for path in paths:
        match = compiled.fullmatch(path)
        groups = match.groupdict() if match else {}
        if groups.get("pid"):
            camid, split = groups.get("camid") or "", (groups.get("split") or "").lower()
            pid, split = groups["pid"], _SPLIT_FOLDERS.get(split, split)
            if pattern == "market" and not pid.strip("0"):
                pid = "distractor"
            rows.append(Row(path, pid, camid, split))
        else:
            unfit.append(path)
    if not rows:
        raise InputError(
            f"the pattern {compiled.pattern!r} fits none of the {len(paths):,} pictures in {root}; "
            f"the first is {paths[0]!r}"
        )
    return Parsed(tuple(rows), tuple(unfit))


def split_by_identity(rows: Sequence[Row], *, test: float = 0.5, seed: int = 0) -> tuple[Row, ...]:
    """Divide people, not pictures, between training and test.

    Of a test person, one picture of each camera becomes a query where another camera has seen the
    person too; where no cameras are known, one of their pictures does. The rest is gallery. People
    with one picture alone cannot be tested and go to training. Junk and distractors go to the
    gallery.

    Args:
        rows: pictures; their ``split`` is not looked at.
        test: share of the people to test on, rounded.
        seed: another seed gives another division; the same one the same, on every machine.

    Raises:
        InputError: ``test`` is not between 0 and 1, the seed is negative, or there are too few
            people for both sides.
    """
    if seed < 0:  # Python draws the same for -1 and for 1
        raise InputError(f"the seed of the division is 0 or more, got {seed}")
    if not 0 < test < 1:
        raise InputError(f"the share to test on is between 0 and 1, got {test}")
    people: defaultdict[str, list[Row]] = defaultdict(list)
    done = []
    for row in sorted(rows, key=lambda row: row.path):
        if row.pid in NOBODY:
            done.append(replace(row, split="gallery"))
        else:
            people[row.pid].append(row)
    testable = sorted(pid for pid, pictures in people.items() if _queries(pictures))
    count = round(test * len(people))
    chosen = set(random.Random(seed).sample(testable, min(count, len(testable))))
    if not chosen or len(chosen) == len(people):
        raise InputError(
            f"{len(people)} people, {len(testable)} of them with a second picture (by another "
            f"camera, where cameras are known), cannot be divided into training and test at "
            f"{test}{_reading(rows[:1])}"
        )
    for pid, pictures in people.items():
        if pid not in chosen:
            done += [replace(row, split="train") for row in pictures]
            continue
        queries = {row.path for row in _queries(pictures)}
        done += [
            replace(row, split="query" if row.path in queries else "gallery") for row in pictures
        ]
    return tuple(sorted(done, key=lambda row: row.path))


def with_splits(rows: Sequence[Row], *, test: float, seed: int) -> tuple[Row, ...]:
    """Keep the splits that the pattern told; where it told none, divide by identity.

    Raises:
        InputError: some pictures have a split and others not, or one has an unknown split.
    """
    told = {row.split for row in rows}
    if told == {""}:
        return split_by_identity(rows, test=test, seed=seed)
    for row in rows:
        if row.split not in SPLITS:
            raise InputError(
                f"the pattern reads the split of {row.path!r} as {row.split!r}; it should be "
                f"{', '.join(SPLITS)}, or the pattern should have no group split"
            )
    return tuple(rows)


def preview_lines(rows: Sequence[Row], unfit: Sequence[str], most: int = 12) -> Iterator[str]:
    """What the names were read as: a table of some pictures, then the sizes of the lists.

    Rows that are not divided yet make one list.
    """
    step = max(1, len(rows) // most)
    shown = rows[::step][:most]
    path, pid, camera = (
        max(len(getattr(row, name)) for row in shown) for name in ("path", "pid", "camid")
    )
    pid, camera = max(pid, len("pid")), max(camera, len("camera"))
    yield f"{'path':{path}}  {'pid':>{pid}}  {'camera':>{camera}}  split"
    for row in shown:
        line = f"{row.path:{path}}  {row.pid:>{pid}}  {row.camid or '-':>{camera}}  {row.split}"
        yield printable(line)
    for split in SPLITS if any(row.split for row in rows) else ("",):
        chosen = [row for row in rows if row.split == split]
        people = {row.pid for row in chosen} - set(NOBODY)
        cameras = {row.camid for row in chosen} - {""}
        yield (
            f"{split or 'not divided'}: {counted(len(chosen), 'picture')}, "
            f"{counted(len(people), 'person')}, {counted(len(cameras), 'camera')}"
        )
    if unfit:
        yield f"left out {len(unfit):,} that do not fit the pattern, first: {printable(unfit[0])}"


def _reading(rows: Sequence[Row]) -> str:
    """How the first picture was read, as the rest of a sentence about what came of it."""
    return "".join(
        f"; the pattern reads {row.path!r} as person {row.pid!r}"
        f"{f' by camera {row.camid!r}' if row.camid else ''}: check that, and leave the camera out "
        "of the pattern where there is only one"
        for row in rows
    )


def _queries(pictures: Sequence[Row]) -> list[Row]:
    """Pictures of one person to search with, such that each has a match left in the gallery."""
    by_camera: defaultdict[str, list[Row]] = defaultdict(list)
    for row in pictures:
        by_camera[row.camid].append(row)
    if set(by_camera) == {""}:
        return [pictures[0]] if len(pictures) > 1 else []
    # A camera with a single picture keeps it for the gallery, so that others find a match there.
    rich = [rows for rows in by_camera.values() if len(rows) > 1]
    if len(by_camera) < 2:
        return []
    if rich:
        return [rows[0] for rows in rich]
    return [next(iter(by_camera.values()))[0]]


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(PATTERNS.get(pattern, pattern))
    except re.error as error:
        raise InputError(
            f"{pattern!r} is neither one of {', '.join(PATTERNS)} nor a regular expression "
            f"({error})"
        ) from error
    if "pid" not in compiled.groupindex:
        raise InputError(
            f"the pattern {pattern!r} has no group (?P<pid>...), so it tells no identity; named "
            f"patterns are {', '.join(PATTERNS)}"
        )
    return compiled


def _pictures(folder: Path) -> Iterator[Path]:
    """Picture files below ``folder``, sorted, litter and linked folders left out."""
    for path in children(folder):
        if is_folder(path):
            if not path.is_symlink():
                yield from _pictures(path)
        elif is_picture(path.name):
            yield path
