"""Any pictures of your own, told by a table ``dataset.csv`` beside them.

Columns: ``path`` (relative to the table), ``pid``, ``camid`` (may be missing or empty) and
``split`` (train, query or gallery). ``mfa data folder`` writes the table from file names. A table
may hold pictures to train on alone, or queries and gallery alone.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import Listing, in_order
from mfa.datasets.readers.places import is_file, printable
from mfa.errors import InputError
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, Sample

TABLE = "dataset.csv"

COLUMNS = ("path", "pid", "camid", "split")

SPLITS = ("train", "query", "gallery")
_NUMBER = re.compile(r"[0-9]{1,9}")
NOBODY = {"-1": JUNK, "junk": JUNK, "distractor": DISTRACTOR}
"""Labels that are no people."""


@dataclass(frozen=True)
class Row:
    """One line of the table, as it stands there."""

    path: str
    pid: str
    camid: str
    split: str


def read(folder: Path) -> Listing:
    """Read the table and check that its files are there.

    Identities and cameras that are all positive whole numbers are kept; others, such as names or
    numbers from 0, are numbered from 1 in sorted order, and a note says so. ``-1`` or ``junk``,
    and ``distractor``, are no people.

    Raises:
        InputError: the table is not readable, lacks a column, a row is wrong (named by its line),
            or rows contradict each other.
    """
    rows = _read_table(folder / TABLE)
    pids, pid_note = numbers((row.pid for row in rows), "identities", NOBODY)
    cams, cam_note = numbers((row.camid for row in rows), "cameras", {"": NO_CAMERA, "-1": -1})
    lists: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    left_out: list[tuple[Path, str]] = []
    for row in rows:
        path = folder / row.path
        if is_file(path):
            lists[row.split].append(Sample(path, pids[row.pid], cams[row.camid]))
        else:
            left_out.append((path, f"{TABLE} lists it and it is not there"))
    return Listing(
        train=in_order(lists["train"]),
        query=in_order(lists["query"]),
        gallery=in_order(lists["gallery"]),
        left_out=tuple(left_out),
        notes=tuple(note for note in (pid_note, cam_note) if note),
    )


def numbers(
    labels: Iterable[str], what: str, special: dict[str, int]
) -> tuple[dict[str, int], str]:
    """A number for each label, and a sentence where they are not the labels themselves.

    Two labels never share a number: ``7`` and ``007`` in one table are two people. Numbers of more
    than nine digits, which features could not carry along, are labels like others.
    """
    found = {label for label in labels if label not in special}
    plain = {label: int(label) for label in found if _NUMBER.fullmatch(label)}
    if len(plain) == len(found) == len(set(plain.values())) and 0 not in plain.values():
        return special | plain, ""
    order = sorted(found, key=lambda label: (plain.get(label, -1), label))
    mapping = {label: number for number, label in enumerate(order, 1)}
    example = ", ".join(f"{label} = {number}" for label, number in list(mapping.items())[:3])
    return special | mapping, f"{what} are numbered from 1 in sorted order: {example} ..."


def write_table(folder: Path, rows: Iterable[Row]) -> Path:
    """Write ``dataset.csv``; an existing one is not overwritten.

    Raises:
        InputError: there is one already, the folder cannot be written, or a name is no text.
    """
    file, rows = folder / TABLE, list(rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([row.path, row.pid, row.camid, row.split] for row in rows)
    try:
        content = text.getvalue().encode("utf-8")
        with file.open("xb") as stream:
            stream.write(content)
    except UnicodeEncodeError as error:
        odd = next(row.path for row in rows if printable(row.path) != row.path)
        raise InputError(
            f"the name {printable(odd)} is not in UTF-8, so no table can hold it; rename the file"
        ) from error
    except FileExistsError as error:
        raise InputError(f"{file} exists already; remove it to have a new one made") from error
    except OSError as error:
        raise InputError(
            f"{file} cannot be written ({error.strerror}); make its folder writable"
        ) from error
    return file


def _read_table(file: Path) -> list[Row]:
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front.
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            missing = {"path", "pid", "split"} - set(names)
            if missing:
                raise InputError(
                    f"{file} lacks the column {', '.join(sorted(missing))} (it has "
                    f"{', '.join(names) or 'nothing'}); columns are {', '.join(COLUMNS)}, "
                    "separated by commas"
                )
            reader.fieldnames = names
            rows = [_checked(file, reader.line_num, line) for line in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file} is not a table in UTF-8 ({error}); save it as CSV") from error
    except OSError as error:
        raise InputError(
            f"{file} cannot be read ({error.strerror}); make it a readable file"
        ) from error
    _refuse_contradictions(file, rows)
    return rows


def _refuse_contradictions(file: Path, rows: list[Row]) -> None:
    """One picture shows one person by one camera, and is once in a list.

    It may be a query and in the gallery as well, as some datasets have it; the doctor says so.
    """
    progress: dict[PurePosixPath, Row] = {}
    listed = set()
    for row in rows:
        path = PurePosixPath(row.path)
        first = progress.setdefault(path, row)
        if (row.pid, row.camid) != (first.pid, first.camid):
            raise InputError(
                f"{file} says of {row.path} both person {first.pid!r} by camera {first.camid!r} "
                f"and person {row.pid!r} by camera {row.camid!r}; keep the row that is right"
            )
        if (path, row.split) in listed:
            raise InputError(f"{file} lists {row.path} twice for {row.split}; keep one row")
        listed.add((path, row.split))


def _checked(file: Path, line: int, values: dict[str, str | None]) -> Row:
    path, pid, camid, split = ((values.get(name) or "").strip() for name in COLUMNS)
    # Tables come from Windows and from spreadsheets, which write paths and words their own way.
    row = Row(path.replace("\\", "/"), pid, camid, split.lower())
    where = f"{file}, line {line}"
    if not row.path or not row.pid:
        raise InputError(f"{where}: path and pid may not be empty")
    if Path(row.path).is_absolute() or ".." in Path(row.path).parts:
        raise InputError(f"{where}: {row.path!r} should be a path below {file.parent}")
    if row.split not in SPLITS:
        raise InputError(f"{where}: split is train, query or gallery, got {row.split!r}")
    return row


LAYOUT = Layout(
    name="folder",
    title="dataset of your own",
    folders=("folder",),
    needs=((TABLE,),),
    tree=(
        f"any/\n├── {TABLE}   columns path, pid, camid, split\n└── ...           pictures anywhere"
    ),
    example="any name",
    advice=(
        "make its table from file names: mfa data folder DIR --pattern ... --preview, and give DIR "
        "by --data-root"
    ),
    parse=lambda name: None,
    read=read,
    splits=(),
    telling=False,
)
