"""Tags come back from their files, and files that are none are a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import mfa
from mfa.datasets.picture_tags import LETTERS, MOST, clean_word, to_csv, to_json
from mfa.errors import InputError

WORDS = {
    "occluded": {"query": [3, 0], "gallery": [1]},
    "=SUM(A1), \"quoted\"": {"query": [3]},
    "<img src=x>": {"gallery": [1]},
    "背包": {"query": [0]},
}  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_files_bring_the_table_again(world: Any, tmp_path: Path, kind: str) -> None:
    table = mfa.tag_pictures(world.data, WORDS)
    assert list(zip(table["side"], table["position"], strict=True)) == [
        ("query", 0), ("query", 3), ("gallery", 1)
    ]  # fmt: skip
    assert table["tags"].tolist()[1] == ("occluded", '=SUM(A1), "quoted"')
    assert table["name"].iloc[1] == world.data.query[3].path.name
    text = to_csv(table) if kind == "csv" else to_json(world.data, table)
    path = tmp_path / f"tags.{kind}"
    path.write_text(text, encoding="utf-8")
    again = mfa.read_tags(path, world.data)
    assert again.equals(table)


def test_a_cell_that_begins_like_a_formula_is_text(world: Any) -> None:
    table = mfa.tag_pictures(world.data, {"=1+1": {"query": [0]}})
    assert ",'=1+1\n" in to_csv(table)


def test_a_file_of_another_dataset_is_a_sentence(world: Any, tmp_path: Path) -> None:
    table = mfa.tag_pictures(world.data, {"hat": {"query": [0]}})
    whole = json.loads(to_json(world.data, table))
    path = tmp_path / "tags.json"
    path.write_text(json.dumps({**whole, "fingerprint": "0" * 32, "dataset": "market1501"}))
    with pytest.raises(InputError, match=r"of another dataset \(market1501\)"):
        mfa.read_tags(path, world.data)
    sheet = tmp_path / "tags.csv"
    sheet.write_text(to_csv(table.assign(name="0001_c1.jpg")))
    with pytest.raises(InputError, match=r"picture 1: picture 0 of the query list is .* here"):
        mfa.read_tags(sheet, world.data)


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "[" * 100_000, '{"pictures": 3}', '{"pictures": [3]}',
        '{"pictures": [{"side": "query", "position": 0, "tags": "hat"}]}',
        '{"pictures": [{"side": "query", "position": 1e999, "tags": ["hat"]}]}',
        '{"pictures": [{"side": ["query"], "position": 0, "tags": ["hat"]}]}',
        '{"pictures": [{"side": "query", "position": true, "tags": ["hat"]}]}',
        '{"pictures": [{"side": "train", "position": 0, "tags": ["hat"]}]}',
    ],
)  # fmt: skip
def test_broken_files_are_a_sentence(world: Any, tmp_path: Path, content: str) -> None:
    for ending in ("json", "csv"):
        path = tmp_path / f"tags.{ending}"
        path.write_text(content)
        with pytest.raises(InputError, match=f"tags.{ending}"):
            mfa.read_tags(path, world.data)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is no file of tags"):
        mfa.read_tags(path, world.data)
    with pytest.raises(InputError, match="cannot be read"):
        mfa.read_tags(tmp_path / "missing.csv", world.data)


def test_tags_that_are_none_are_refused(world: Any) -> None:
    assert clean_word("  two\nwords ") == "two words"
    for word, words in {
        " ": "is empty",
        "x" * (LETTERS + 1): f"has {LETTERS + 1} letters",
        "a;b": "semicolon",
        "evil\u202egnp": "cannot be seen",
        "bell\x07": "cannot be seen",
    }.items():
        with pytest.raises(InputError, match=words):
            clean_word(word)
    many = {f"tag {number}": {"query": [0]} for number in range(MOST + 1)}
    with pytest.raises(InputError, match=f"more than {MOST} different tags"):
        mfa.tag_pictures(world.data, many)
    with pytest.raises(InputError, match="query list of synthetic has no picture 99999"):
        mfa.tag_pictures(world.data, {"hat": {"query": [99999]}})
