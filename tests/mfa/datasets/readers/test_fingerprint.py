from __future__ import annotations

import os
import shutil
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from mfa.datasets.readers.fingerprint import fingerprint, hashed
from mfa.records import Sample


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    (tmp_path / "a").mkdir()
    made = []
    for i in range(5):
        path = tmp_path / f"a/{i}é.jpg"
        path.write_bytes(bytes([i]) * 9)
        made.append(Sample(path, i, i % 2))
    return made


def of(samples: list[Sample], root: Path) -> str:
    return fingerprint(hashed({"train": samples[:3], "query": samples[3:]}), root)


def test_order_copying_and_time_stamps_change_nothing(
    samples: list[Sample], tmp_path: Path
) -> None:
    before = of(samples, tmp_path)
    assert (
        fingerprint(hashed({"query": samples[:2:-1], "train": samples[2::-1]}), tmp_path) == before
    )
    os.utime(samples[0].path, (1, 1))
    assert of(samples, tmp_path) == before
    shutil.copytree(tmp_path / "a", tmp_path / "b/a")
    copied = [replace(s, path=tmp_path / "b/a" / s.path.name) for s in samples]
    assert of(copied, tmp_path / "b") == before


def test_decomposed_names_are_the_same_names(samples: list[Sample], tmp_path: Path) -> None:
    before = of(samples, tmp_path)
    apple = []
    for sample in samples:
        name = unicodedata.normalize("NFD", sample.path.name)
        path = tmp_path / "c/a" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample.path.read_bytes())
        assert name != sample.path.name
        apple.append(replace(sample, path=path))
    assert of(apple, tmp_path / "c") == before


def test_any_change_changes_it(samples: list[Sample], tmp_path: Path) -> None:
    seen = [of(samples, tmp_path)]
    seen.append(of(samples[1:], tmp_path))
    seen.append(of([replace(samples[0], pid=9), *samples[1:]], tmp_path))
    seen.append(of([replace(samples[0], camid=9), *samples[1:]], tmp_path))
    seen.append(fingerprint(hashed({"train": samples[:2], "query": samples[2:]}), tmp_path))
    samples[4].path.write_bytes(bytes([4]) * 8 + b"x")
    seen.append(of(samples, tmp_path))
    samples[4].path.unlink()
    seen.append(of(samples, tmp_path))
    extra = tmp_path / "a/new.jpg"
    extra.write_bytes(b"new")
    seen.append(of([*samples, Sample(extra, 1, 1)], tmp_path))
    renamed = samples[0].path.rename(tmp_path / "a/other.jpg")
    seen.append(of([replace(samples[0], path=renamed), *samples[1:]], tmp_path))
    assert len(set(seen)) == len(seen)
