"""Divide pictures of your own into lists: people, not pictures, and only where nothing says it."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from mfa.datasets.readers.custom import NOBODY, SPLITS, Row
from mfa.datasets.readers.listing import counted
from mfa.errors import InputError

MEANINGS = ("train", "query", "gallery", "test", "divide", "none")
"""What a folder or a word of a table may mean. ``test`` is the gallery where there are queries,
else divided into both; ``divide`` is divided between training and test; ``none`` is left out."""


def with_splits(rows: Sequence[Row], *, test: float, seed: int) -> tuple[Row, ...]:
    """Turn the meaning of each picture into the list that it belongs to.

    Where nothing says where pictures belong, people are divided, see ``split_by_identity``.

    Raises:
        InputError: some pictures say where they belong and others do not, or one has an unknown
            word.
    """
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.split].append(row)
    for word in groups:
        if word not in (*MEANINGS, ""):
            raise InputError(
                f"{groups[word][0].path!r} belongs to {word!r}, which is no known list",
                f"say what it means: --split {word}=gallery (or {', '.join(MEANINGS)})",
            )
    if groups[""] and len(groups) > 1 and set(groups) - {"", "divide", "none"}:
        folder = PurePosixPath(groups[""][0].path).parent.as_posix()
        raise InputError(
            f"some folders say which list they are and {counted(len(groups['']), 'picture')} do "
            f"not, first in {folder}",
            f"say what it means: --split {folder}=train (or {', '.join(MEANINGS)})",
        )
    done = [row for split in SPLITS for row in groups[split]]
    if groups["query"]:
        done += [replace(row, split="gallery") for row in groups["test"]]
    else:
        done += _query_and_gallery(groups["test"])
    undivided = [*groups[""], *groups["divide"]]
    if undivided or not done:
        done += split_by_identity(undivided, test=test, seed=seed)
    # Nobody can be learned.
    done = [row for row in done if not (row.split == "train" and row.pid in NOBODY)]
    return tuple(sorted(done, key=lambda row: row.path))


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
    """
    if seed < 0:  # Python draws the same for -1 and for 1
        raise InputError(f"the seed of the division is 0 or more, got {seed}")
    if not 0 < test < 1:
        raise InputError(f"the share to test on is between 0 and 1, got {test}")
    people = _by_person(rows)
    testable = sorted(pid for pid, images in people.items() if _queries(images))
    count = round(test * len(people))
    chosen = set(random.Random(seed).sample(testable, min(count, len(testable))))
    if not chosen or len(chosen) == len(people):
        reading = "".join(
            f"; the pattern reads {row.path!r} as person {row.pid!r}"
            f"{f' by camera {row.camid!r}' if row.camid else ''}: check that, and leave the camera "
            "out of the pattern where there is only one"
            for row in rows[:1]
        )
        raise InputError(
            f"{len(people)} people, {len(testable)} of them with a second picture (by another "
            "camera, where cameras are known), cannot be divided into training and test at "
            f"{test}{reading}"
        )
    tested = [row for row in rows if row.pid in NOBODY or row.pid in chosen]
    trained = (row for pid in people.keys() - chosen for row in people[pid])
    done = [*_query_and_gallery(tested), *(replace(row, split="train") for row in trained)]
    return tuple(sorted(done, key=lambda row: row.path))


def _query_and_gallery(rows: Sequence[Row]) -> list[Row]:
    """Choose the queries of people who are tested; the rest is gallery."""
    people = _by_person(rows).values()
    queries = {row.path for images in people for row in _queries(images)}
    return [replace(row, split="query" if row.path in queries else "gallery") for row in rows]


def _by_person(rows: Sequence[Row]) -> dict[str, list[Row]]:
    people: defaultdict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.path):
        if row.pid not in NOBODY:
            people[row.pid].append(row)
    return people


def _queries(images: Sequence[Row]) -> list[Row]:
    """Pictures of one person to search with, such that each has a match left in the gallery."""
    by_camera: defaultdict[str, list[Row]] = defaultdict(list)
    for row in images:
        by_camera[row.camid].append(row)
    if set(by_camera) == {""}:
        return [images[0]] if len(images) > 1 else []
    if len(by_camera) < 2:
        return []
    # A camera with a single picture keeps it for the gallery, so that others find a match there.
    rich = [rows[0] for rows in by_camera.values() if len(rows) > 1]
    return rich or [images[0]]
