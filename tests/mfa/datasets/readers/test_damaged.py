"""Damaged list files and tables end in a sentence, never in a traceback."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfa.datasets import load_dataset
from mfa.datasets.doctor import examine
from mfa.errors import InputError

NAME = "0000_000_01_0303morning_0008_0.jpg"
CUT = "1_001_1_01.png"

FILES = {
    ("folder", "dataset.csv"): "path,pid,camid,split\na/1.jpg,anna,1,train\na/2.jpg,7,2,query\n",
    ("msmt17", "msmt17/list_query.txt"): f"0000/{NAME} 0\n",
    ("cuhk03_detected", "cuhk03/splits_new_detected.json"): json.dumps(
        [{"train": [[CUT, 0, 0]], "query": [[CUT, 1, 0]], "gallery": [[CUT, 1, 1]]}]
    ),
}
"""The file of each reader that lists its pictures."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three datasets, whole, with pictures that are not looked at."""
    root = tmp_path_factory.mktemp("damaged")
    folders: dict[str, Iterable[str]] = {
        "a": ["1.jpg", "2.jpg"],
        "msmt17/train/0000": [NAME],
        "msmt17/test/0000": [NAME],
        "cuhk03/images_detected": [CUT],
    }
    for folder, names in folders.items():
        (root / folder).mkdir(parents=True)
        for name in names:
            (root / folder / name).write_bytes(b"x")
    for name in ("train", "val", "gallery"):
        (root / f"msmt17/list_{name}.txt").write_text(f"0000/{NAME} 0\n")
    return root


def mutated(text: str, rng: random.Random) -> bytes:
    """A few bytes changed, doubled or taken out."""
    data = bytearray(text.encode())
    changes: list[Callable[[int], object]] = [
        lambda place: data.__setitem__(place, rng.randrange(256)),
        lambda place: data.__delitem__(place),
        lambda place: data.insert(place, rng.choice(b'",\n\x00[{9e-')),
        lambda place: data.extend(data[place:]),
    ]
    for _ in range(rng.randint(1, 6)):
        rng.choice(changes)(rng.randrange(max(1, len(data) - 1)))
    return bytes(data)


@pytest.mark.parametrize(("dataset", "file"), FILES)
@given(seed=st.integers(0, 2**32))
def test_a_damaged_list_ends_in_a_sentence(
    places: Path, dataset: str, file: str, seed: int
) -> None:
    (places / file).write_bytes(mutated(FILES[dataset, file], random.Random(seed)))
    with suppress(InputError):
        load_dataset(dataset, places)
    assert examine(dataset, places, decode=False).text()
