"""Read the labels of pictures of your own from their names or from a table.

Lists that the authors of a set divided are kept: a folder called ``query`` or ``image_train`` names
the list of its pictures. Otherwise ``mfa.datasets.prepare.division`` divides the people.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mfa.datasets.prepare.division import MEANINGS
from mfa.datasets.readers.custom import NOBODY, SPLITS, TABLE, Row, read_rows
from mfa.datasets.readers.listing import (
    IMAGE_SUFFIXES,
    counted,
    images_below,
    is_folder,
    read_text,
)
from mfa.errors import InputError, printable
from mfa.records import DISTRACTOR, JUNK

PATTERNS = {
    "market": r"(.*/)?(?P<pid>-1|00-1|[0-9]+)_?[cC](?P<camid>[0-9]+)[^/]*",
    "folders": r"(.*/)?(?P<pid>[^/]+)/[^/]+",
    "cameras-in-folders": r"(.*/)?(?P<pid>[^/]+)/(?P<camid>[^/]+)/[^/]+",
    "prefix": r"(.*/)?(?P<pid>[^/_]+)_[^/]*",
    "unlabelled": r".*(?P<pid>)",
}
"""Patterns by name: names as Market-1501, VeRi-776 and MARS have them (0000 is a distractor, -1
junk); a folder per person; a folder per person and camera; the person before the first ``_``;
pictures of people whom nobody knows."""

_FOLDERS = {
    name: split
    for split, names in {
        "train": "bounding_box_train image_train bbox_train train training train_split",
        "query": "query image_query probe bbox_query test_probe",
        "gallery": "gallery image_gallery bbox_gallery test_gallery",
        "test": "bounding_box_test image_test bbox_test test testing",
    }.items()
    for name in names.split()
}
"""Names of folders, in lower case, that published sets give their lists."""

_NO_NAMES = frozenset({"unknown", "unidentified", "none", "nan", "n/a", "?"})
"""Labels, in lower case, that say that nobody knows the person."""


@dataclass(frozen=True)
class Mapped:
    """What labels and folders mean, where they do not say it themselves.

    Attributes:
        splits: folder below the root (``.`` for all), or word of a split column, to a meaning.
        cameras: camera in the names to the camera that it belongs to.
        distractors, junk: labels that are no people.
        tested: labels of the people to test on; everybody else is trained on. Empty where folders
            say it, or nothing does. Leading zeros do not count.
    """

    splits: Mapping[str, str] = field(default_factory=dict)
    cameras: Mapping[str, str] = field(default_factory=dict)
    distractors: tuple[str, ...] = ()
    junk: tuple[str, ...] = ()
    tested: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name, meaning in self.splits.items():
            if meaning not in MEANINGS:
                raise InputError(
                    f"{name}={meaning} gives {name} no known meaning",
                    f"write {name}= with one of {', '.join(MEANINGS)}",
                )


@dataclass(frozen=True)
class Parsed:
    """What names or a table were read as.

    Attributes:
        rows: pictures with their labels; the split is empty where nothing says it, else one of
            ``MEANINGS``.
        unfit: paths of pictures that do not fit the pattern.
        notes: sentences about what was read as no person.
    """

    rows: tuple[Row, ...]
    unfit: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def assignments(words: Sequence[str], option: str) -> dict[str, str]:
    """``1,2=A 3=B`` as {1: A, 2: A, 3: B}."""
    found: dict[str, str] = {}
    for word in words:
        labels, equals, value = word.rpartition("=")
        if not equals or not labels or not value:
            raise InputError(f"{option} {word!r} assigns nothing", f"write {option} LABEL=MEANING")
        for label in labels.split(","):
            if label in found:
                raise InputError(f"{option} gives {label!r} two meanings", "keep one")
            found[label] = value
    return found


def read_ids(file: Path) -> frozenset[str]:
    """The labels in a text file, separated by commas or blanks, without leading zeros."""
    ids = frozenset(_plain(word) for word in re.split(r"[\s,;]+", read_text(file)) if word)
    if not ids:
        raise InputError(f"{file} names nobody to test on", "write one label per line")
    return ids


def _plain(label: str) -> str:
    """A label without leading zeros: lists of people often leave out those of file names."""
    return label.lstrip("0") or label


def parse_tree(root: Path, pattern: str, mapped: Mapped = Mapped()) -> Parsed:
    """Apply a pattern to the path of every picture below ``root``.

    Args:
        root: any folder; links are not followed.
        pattern: one of ``PATTERNS``, or a regular expression with the group ``pid`` and, if you
            like, ``camid``, ``split`` and ``group``. It must fit the whole path below ``root``,
            written with ``/``. Equal ``pid`` of different ``group`` are different people.
        mapped: what folders and labels mean.

    Raises:
        InputError: the folder is missing, holds no pictures or a folder that cannot be listed; the
            pattern is no regular expression, or has no group ``pid``; it fits no picture; or
            nothing says which list a picture belongs to except files that are not read.
    """
    compiled = _compile(pattern)
    if not is_folder(root):
        raise InputError(f"{root} is not a folder", "name the folder your pictures are in")
    paths = [path.relative_to(root).as_posix() for path in images_below(root)]
    if not paths:
        raise InputError(
            f"{root} and its folders hold no pictures ({', '.join(sorted(IMAGE_SUFFIXES))})",
            "name the folder your pictures are in",
        )
    rows, unfit = [], []
    for path in paths:
        match = compiled.fullmatch(path)
        groups = match.groupdict() if match else {}
        if not groups.get("pid") and pattern != "unlabelled":
            unfit.append(path)
            continue
        pid = groups["pid"]
        if pattern == "market":
            pid = {"00-1": "-1"}.get(pid, pid if pid.strip("0") else "distractor")
        if groups.get("group"):
            pid = f"{groups['group']}/{pid}"
        rows.append(Row(path, pid, groups.get("camid") or "", (groups.get("split") or "").lower()))
    if not rows:
        raise InputError(
            f"the pattern {compiled.pattern!r} fits none of the {len(paths):,} pictures in {root}; "
            f"the first is {paths[0]!r}",
            "change the pattern, and look at the result with --preview",
        )
    parsed = _relabelled(rows, mapped, tuple(unfit))
    if not any(row.split for row in parsed.rows):
        _refuse_unread_lists(root)
    return parsed


def _refuse_unread_lists(root: Path) -> None:
    """Raise where files may hold a division that nothing else says."""
    lists = re.compile(
        r".*(train|test|quer|galler|probe|split).*\.(txt|csv|json|mat)", re.IGNORECASE
    )
    for file in sorted(root.glob("**/*")):
        if lists.fullmatch(file.name) and file.name != TABLE:
            raise InputError(
                f"{file} may say which list a picture belongs to, and is not read; dividing people "
                "anew would train on people whom the authors of the set test on",
                "name the people to test on (--test-ids FILE), make a table of the lists (--table "
                "FILE), or divide all the same (--split .=divide)",
            )


def parse_table(
    root: Path, table: Path, columns: Mapping[str, str], mapped: Mapped = Mapped()
) -> Parsed:
    """Read the labels from a table.

    Args:
        root: folder that the pictures are in, from which the table names them.
        table: CSV, anywhere or in ``root``.
        columns: what the table calls path, pid, camid and split.
        mapped: what folders and labels mean.
    """
    rows = read_rows(table if table.is_file() else root / table, root, columns)
    if not rows:
        raise InputError(f"{table} lists no pictures", "write a row for each picture")
    return _relabelled(rows, mapped, ())


def _relabelled(rows: Sequence[Row], mapped: Mapped, unfit: tuple[str, ...]) -> Parsed:
    """The rows with the meanings of their labels, folders and cameras."""
    nobody = dict.fromkeys(mapped.distractors, "distractor") | dict.fromkeys(mapped.junk, "junk")
    found, changed = [], Counter[str]()
    for row in rows:
        pid = nobody.get(row.pid, row.pid)
        if pid.lower() in _NO_NAMES:
            changed[pid] += 1
            pid = "junk"
        split = _meaning(row, mapped.splits)
        if mapped.tested and split != "none":
            nobody_or_tested = pid in NOBODY or _plain(row.pid) in mapped.tested
            split = (split or "test") if nobody_or_tested else "train"
        found.append(Row(row.path, pid, mapped.cameras.get(row.camid, row.camid), split))
    if mapped.tested and not any(_plain(row.pid) in mapped.tested for row in rows):
        raise InputError(
            f"none of the people to test on has a picture; the first picture is of {rows[0].pid!r}",
            "give the list of labels that belongs to these pictures",
        )
    notes = [
        f"{count:,} pictures of {label!r} are read as junk, which is never counted"
        for label, count in changed.items()
    ]
    zeros = Counter(row.pid for row in found if row.pid and not row.pid.strip("0"))
    notes += [
        f"{label!r} is read as a person with {counted(count, 'picture')}; where it is nobody, say "
        f"--distractors {label}"
        for label, count in zeros.items()
    ]
    unused = set(nobody) - {row.pid for row in rows}
    notes += [f"no picture is labelled {label!r}" for label in sorted(unused)]
    return Parsed(tuple(found), unfit, tuple(notes))


def _meaning(row: Row, splits: Mapping[str, str]) -> str:
    """The list a picture belongs to, by its own word or its folders; empty where neither says."""
    if row.split:
        return splits.get(row.split, _FOLDERS.get(row.split, row.split))
    above = [parent.as_posix() for parent in PurePosixPath(row.path).parents]
    for folder in above:  # the innermost that has a meaning first
        if folder in splits:
            return splits[folder]
    names = [PurePosixPath(folder).name.lower() for folder in reversed(above)]
    return next((_FOLDERS[name] for name in names if name in _FOLDERS), "")


def preview_lines(
    rows: Sequence[Row], unfit: Sequence[str], notes: Sequence[str] = (), most: int = 12
) -> Iterator[str]:
    """What the names were read as: some pictures, then the sizes of the lists, then the notes.

    Rows that are not divided yet make one list.
    """
    shown = rows[:: max(1, len(rows) // most)][:most]
    table = [("path", "pid", "camera", "split")]
    table += [(row.path, row.pid, row.camid or "-", row.split) for row in shown]
    path, pid, camera, _ = (max(map(len, column)) for column in zip(*table, strict=True))
    for row in table:
        yield printable(f"{row[0]:{path}}  {row[1]:>{pid}}  {row[2]:>{camera}}  {row[3]}")
    for split in (*SPLITS, *sorted({row.split for row in rows} - {*SPLITS, ""}), ""):
        chosen = [row for row in rows if row.split == split]
        if chosen or (split in SPLITS and any(row.split in SPLITS for row in rows)):
            yield f"{split or 'not divided'}: {_sizes(chosen)}"
    if unfit:
        yield f"left out {len(unfit):,} that do not fit the pattern, first: {printable(unfit[0])}"
    yield from (f"note: {printable(note)}" for note in (*notes, *_shared(rows)))


def _sizes(rows: Sequence[Row]) -> str:
    people = {row.pid for row in rows} - set(NOBODY)
    cameras = {row.camid for row in rows} - {""}
    names = {DISTRACTOR: "distractors", JUNK: "junk"}
    nobody = Counter(names[NOBODY[row.pid]] for row in rows if row.pid in NOBODY)
    others = "".join(f", {nobody[name]:,} {name}" for name in names.values() if nobody[name])
    return (
        f"{counted(len(rows), 'picture')}, {counted(len(people), 'person')}, "
        f"{counted(len(cameras), 'camera')}{others}"
    )


def _shared(rows: Sequence[Row]) -> Iterator[str]:
    train = {row.pid for row in rows if row.split == "train"}
    test = {row.pid for row in rows if row.split in ("query", "gallery")}
    both = sorted(train & test - set(NOBODY))
    if both:
        yield (
            f"{counted(len(both), 'person')} in the training list and in the test lists, first "
            f"{both[0]!r}: the score would be of people the network has learned"
        )


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
            f"the pattern {pattern!r} has no group (?P<pid>...), which is the identity",
            f"add the group, or name one of {', '.join(PATTERNS)}",
        )
    return compiled
