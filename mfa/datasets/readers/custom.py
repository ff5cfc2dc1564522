"""Any pictures of your own, listed by a table ``dataset.csv`` beside them.

Columns: ``path`` (below the table's folder), ``pid`` (empty where nobody knows), ``camid`` (may be
missing or empty) and ``split`` (train, query or gallery). ``mfa data folder`` writes the table from
file names or from another table. A table may hold pictures to train on alone, or queries and
gallery alone.
"""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from mfa.datasets.readers.layout import Layout, draw_tree
from mfa.datasets.readers.listing import (
    LeftOut,
    Listing,
    divided,
    quoted,
    read_text,
    take_listed,
)
from mfa.errors import InputError
from mfa.files import cell_of_text, text_of_cell, write_atomically
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, Sample

TABLE = "dataset.csv"

COLUMNS = ("path", "pid", "camid", "split")

SPLITS = ("train", "query", "gallery")
_NUMBER = re.compile(r"[0-9]{1,9}")
NOBODY = {"": JUNK, "-1": JUNK, "junk": JUNK, "unknown": JUNK, "distractor": DISTRACTOR}
"""Labels that are no people. Whoever is unknown may be anybody, and so is never counted."""


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
    numbers from 0, are numbered from 1 in sorted order, with a note.
    """
    rows = _read_table(folder / TABLE)
    pids, pid_note = numbers((row.pid for row in rows), "identities", NOBODY)
    cams, cam_note = numbers((row.camid for row in rows), "cameras", {"": NO_CAMERA, "-1": -1})
    taken: dict[str, list[Sample | LeftOut]] = {split: [] for split in SPLITS}
    for row in rows:
        labels = pids[row.pid], cams[row.camid]
        taken[row.split].append(take_listed(folder / row.path, labels, lister=TABLE))
    return divided(taken, notes=tuple(note for note in (pid_note, cam_note) if note))


def numbers(
    labels: Iterable[str], what: str, special: dict[str, int]
) -> tuple[dict[str, int], str]:
    """A number for each label, and a sentence where they are not the labels themselves.

    Two labels never share a number: ``7`` and ``007`` in one table are two people. Numbers of more
    than nine digits, which features cannot carry, are labels like others.
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
    if file.exists():
        raise InputError(f"{file} exists already", "remove it to have a new one made")
    odd = next((row.path for row in rows if re.search("[\ud800-\udfff]", row.path)), None)
    if odd is not None:
        raise InputError(
            f"the name {odd} is not in UTF-8, so no table can hold it", "rename the file"
        )
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(map(cell_of_text, (r.path, r.pid, r.camid, r.split)) for r in rows)
    write_atomically(file, lambda draft: draft.write_bytes(text.getvalue().encode("utf-8")))
    return file


def read_rows(
    file: Path, root: Path, columns: Mapping[str, str] = MappingProxyType({})
) -> list[Row]:
    """The rows of a table as they stand there, with paths below ``root``.

    Args:
        file: a table in UTF-8, with commas.
        root: the folder that the paths are relative to, or lie in.
        columns: what the table calls path, pid, camid and split, where it calls them otherwise.
    """
    names = {name: columns.get(name, name).lower() for name in COLUMNS}
    reader = csv.DictReader(io.StringIO(read_text(file), newline=""))
    try:
        found = [name.strip().lower() for name in reader.fieldnames or ()]
        missing = {names["path"], names["pid"]} - set(found)
        if missing:
            raise InputError(
                f"{file} lacks the column {', '.join(sorted(missing))} (it has "
                f"{', '.join(found) or 'nothing'})",
                f"columns are {', '.join(COLUMNS)}, separated by commas; other names: mfa "
                "data folder DIR --table FILE --columns pid=NAME",
            )
        reader.fieldnames = found
        return [_row(f"{file}, line {reader.line_num}", line, names, root) for line in reader]
    except csv.Error as error:
        raise InputError(f"{file} is not a table ({error})", "save it as CSV") from error


def _row(where: str, values: dict[str, str | None], names: Mapping[str, str], root: Path) -> Row:
    cells = ((values.get(names[name]) or "").strip() for name in COLUMNS)
    path, pid, camid, split = map(text_of_cell, cells)
    if not path:
        raise InputError(f"{where}: the path is empty", "fill it in, or remove the row")
    # Tables come from Windows and from spreadsheets, which write paths and words their own way.
    place = Path(path.replace("\\", "/"))
    for base in (root.absolute(), root.resolve()):  # they differ where the folder is a link
        if place.is_relative_to(base):
            place = place.relative_to(base)
    if place.is_absolute() or ".." in place.parts:
        raise InputError(
            f"{where}: {path!r} is not below {root}",
            "name a folder above all pictures, or mend the path",
        )
    return Row(place.as_posix(), pid, camid, split.lower())


def _read_table(file: Path) -> list[Row]:
    rows = read_rows(file, file.parent)
    folder = quoted(file.parent)
    if rows and not any(row.split for row in rows):
        raise InputError(
            f"{file} does not say which list a picture belongs to",
            f"divide people between training and test: mfa data folder {folder} --table {TABLE}",
        )
    for row in rows:
        if row.split not in SPLITS:
            word = shlex.quote(row.split or ".")
            raise InputError(
                f"{file}: the split of {row.path!r} is {row.split!r}",
                f"write train, query or gallery, or give {word if row.split else 'the empty ones'} "
                f"a meaning: mfa data folder {folder} --table {TABLE} --split {word}=gallery",
            )
        if row.split == "train" and row.pid in NOBODY:
            raise InputError(
                f"{file}: {row.path!r} is to be trained on, but {row.pid!r} is no person",
                "remove the row, or move it to the gallery",
            )
    _refuse_contradictions(file, rows)
    return rows


def _refuse_contradictions(file: Path, rows: list[Row]) -> None:
    """One picture shows one person by one camera, and is once in a list.

    It may be a query and in the gallery as well, as in some datasets; the doctor reports it.
    """
    known: dict[PurePosixPath, Row] = {}
    listed = set()
    for row in rows:
        path = PurePosixPath(row.path)
        first = known.setdefault(path, row)
        if (row.pid, row.camid) != (first.pid, first.camid):
            raise InputError(
                f"{file} says of {row.path!r} both person {first.pid!r} by camera {first.camid!r} "
                f"and person {row.pid!r} by camera {row.camid!r}",
                "keep the row that is right",
            )
        if (path, row.split) in listed:
            raise InputError(f"{file} lists {row.path!r} twice for {row.split}", "keep one row")
        listed.add((path, row.split))


LAYOUT = Layout(
    name="folder",
    title="dataset of your own",
    folders=("folder",),
    needs=((TABLE,),),
    tree=draw_tree("any", {TABLE: f"columns {', '.join(COLUMNS)}", "...": "pictures anywhere"}),
    example="any name",
    advice=(
        "make its table from file names: mfa data folder DIR --pattern ... --preview, and give DIR "
        "by --data-root"
    ),
    parse=lambda name: None,
    read=read,
    splits=(),
    shared_pids="warning",
)
