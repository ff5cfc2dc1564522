"""Words that people give to pictures: a table, a CSV or JSON file, and the mapping behind both."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import pandas as pd

from mfa.errors import InputError, reason
from mfa.files import csv_text, parse_json, text_of_cell
from mfa.records import ReidDataset, Split

COLUMNS = ("side", "position", "name", "pid", "camid", "tags")
SIDES: tuple[Split, ...] = ("query", "gallery")
JOIN = "; "
"""Between the tags of one picture in a CSV file."""

LETTERS = 40
"""Most letters of a tag."""

MOST = 200
"""Most different tags."""

BYTES = 8_000_000
"""Largest file that is read."""

Marks = dict[tuple[Split, int], tuple[str, ...]]
"""Tags by list and position in it."""


def tag_pictures(
    data: ReidDataset, tags: Mapping[str, Mapping[str, Iterable[int]]]
) -> pd.DataFrame:
    """A table of pictures with tags, such as ``read_tags`` returns.

    Args:
        data: whose query and gallery pictures are tagged.
        tags: by tag and list the positions: ``{"occluded": {"query": [3, 7]}}``.

    Raises:
        InputError: a tag that is none, or a picture that is not in its list.
    """
    marks: Marks = {}
    for word, sides in tags.items():
        for side, positions in sides.items():
            for position in positions:
                place = place_in(data, side, position)
                marks[place] = (*marks.get(place, ()), word)
    return table_of(data, marks)


def table_of(data: ReidDataset, marks: Marks) -> pd.DataFrame:
    """One row per picture with tags, in the order of the lists; columns are ``COLUMNS``."""
    rows = []
    for (side, position), words in sorted(checked(marks).items(), key=_order):
        sample = getattr(data, side)[position]
        rows.append((side, position, sample.path.name, sample.pid, sample.camid, words))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def marks_of(table: pd.DataFrame) -> Marks:
    """The mapping that a table stands for."""
    keys = zip(table["side"], table["position"], strict=True)
    return dict(zip(keys, table["tags"], strict=True))


def checked(marks: Marks) -> Marks:
    """Every tag once, as ``clean_word`` writes it; pictures without tags are left out."""
    found = {
        place: tuple(dict.fromkeys(clean_word(word) for word in words))
        for place, words in marks.items()
        if words
    }
    if len({word for words in found.values() for word in words}) > MOST:
        raise InputError(f"more than {MOST} different tags", "take some away, or join them")
    return found


def clean_word(word: str, what: str = "tag") -> str:
    """A word as it is kept: spaces joined, letters composed."""
    clean = unicodedata.normalize("NFC", " ".join(str(word).split()))
    if not clean:
        raise InputError(f"the {what} is empty", "write a word")
    if len(clean) > LETTERS:
        raise InputError(
            f"the {what} {clean[:20]!r}... has {len(clean)} letters", f"write {LETTERS} or fewer"
        )
    if not clean.isprintable() or ";" in clean:
        raise InputError(
            f"the {what} {clean!r} holds a semicolon or a sign that cannot be seen",
            "write letters, numbers and spaces",
        )
    return clean


def place_in(data: ReidDataset, side: Any, position: Any) -> tuple[Split, int]:
    """A list and a position in it."""
    if side not in SIDES:
        raise InputError(f"the list is query or gallery, got {side!r}")
    count = len(getattr(data, side))
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < count:
        raise InputError(
            f"the {side} list of {data.name} has no picture {position!r}",
            f"name one of 0 to {count - 1}",
        )
    return cast(Split, side), position


def to_csv(table: pd.DataFrame) -> str:
    """A table of tags as CSV, in which no text is a formula to a spreadsheet."""
    return csv_text(table.assign(tags=table["tags"].map(JOIN.join)))


def to_json(data: ReidDataset, table: pd.DataFrame, **more: Any) -> str:
    """A table of tags as JSON, with the dataset that it belongs to, and whatever else is kept."""
    rows = [{**row, "tags": list(row["tags"])} for row in table.to_dict("records")]
    whose = {"dataset": data.name, "fingerprint": data.fingerprint}
    return json.dumps({**whose, "pictures": rows, **more}, indent=1, ensure_ascii=False) + "\n"


def read_tags(path: Path | str, data: ReidDataset) -> pd.DataFrame:
    """The pictures with tags that a CSV or JSON file of the apps holds.

    Args:
        path: of the file.
        data: the dataset that the tags belong to.

    Returns:
        One row per picture: ``side`` (``query`` or ``gallery``), ``position`` in that list,
        ``name``, ``pid``, ``camid``, ``tags`` (tuple).

    Raises:
        InputError: it cannot be read, is no such file, or belongs to another dataset.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
    return table_of(data, parse(content, Path(path).name, data)[0])


def parse(content: bytes, name: str, data: ReidDataset) -> tuple[Marks, dict[str, Any]]:
    """The tags in a file's content, and the whole of a JSON file."""
    if len(content) > BYTES:
        raise InputError(f"{name} has more than {BYTES // 1_000_000} MB", "give a smaller file")
    whole: dict[str, Any] = {}
    try:
        text = content.decode("utf-8-sig")
        if name.lower().endswith(".csv"):
            rows = _csv_rows(text)
        else:
            whole = parse_json(text)
            rows = whole["pictures"]
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise TypeError("pictures is no list of rows")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{name} is no file of tags ({reason(error)})",
            "give a CSV or JSON file that an app wrote",
        ) from error
    if whole.get("fingerprint", data.fingerprint) != data.fingerprint:
        raise InputError(
            f"{name} is of another dataset ({whole.get('dataset')!s:.40}); this is {data.name} "
            f"with the fingerprint {data.fingerprint[:12]}",
            "open it beside the dataset that it was made on",
        )
    found = (_place_of(row, name, number, data) for number, row in enumerate(rows, start=1))
    return checked(dict(found)), whole


def _csv_rows(text: str) -> list[dict[str, Any]]:
    table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    cells = table[["side", "position", "name", "tags"]].map(text_of_cell)
    return [
        {"side": side, "position": int(position), "name": name, "tags": tags.split(JOIN.strip())}
        for side, position, name, tags in cells.itertuples(index=False, name=None)
    ]


def _place_of(
    row: Mapping[Any, Any], name: str, number: int, data: ReidDataset
) -> tuple[tuple[Split, int], tuple[str, ...]]:
    """A row's picture, which must have that name in this dataset, and its tags."""
    tags = row.get("tags")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InputError(f"{name}, picture {number}: its tags are no list of words")
    try:
        place = place_in(data, row.get("side"), row.get("position"))
    except InputError as error:
        raise InputError(f"{name}, picture {number}: {error.what}", error.fix) from error
    there = getattr(data, place[0])[place[1]].path.name
    if row.get("name") != there:
        raise InputError(
            f"{name}, picture {number}: picture {place[1]} of the {place[0]} list is {there} here, "
            f"not {row.get('name')!s:.60}",
            "the file is of another dataset; open it beside its own",
        )
    return place, tuple(tag for tag in tags if tag.strip())


def _order(mark: tuple[tuple[Split, int], Any]) -> tuple[int, int]:
    (side, position), _ = mark
    return SIDES.index(side), position
