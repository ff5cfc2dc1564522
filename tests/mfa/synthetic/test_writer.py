from __future__ import annotations

import dataclasses
import itertools
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mfa.datasets.readers.load import load_dataset
from mfa.errors import InputError
from mfa.records import ReidDataset, Sample
from mfa.synthetic import PARTS, SyntheticConfig, load_mask, render, write, write_partial, writer
from mfa.synthetic.histogram import histogram_features
from mfa.synthetic.plan import Entry, market_plan

COUNTS = {"train_ids": 2, "test_ids": 2, "train_images": 4, "test_images": 4}
COUNTS |= {"distractors": 2, "junk": 2, "partial_ids": 2, "partial_images": 2}
SMALL = SyntheticConfig(**COUNTS, height=32, width=16)
SPLITS = ("bounding_box_train", "query", "bounding_box_test")
NAME = re.compile(r"(-1|\d{4})_c(\d)s\d_\d{6}_\d{2}\.jpg")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small set, for tests that only read it."""
    return write(tmp_path_factory.mktemp("drawn"), SMALL)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_layout_names_and_counts(drawn: Path) -> None:
    assert drawn.name == "synthetic"
    pids = {}
    for split in SPLITS:
        matches = [NAME.fullmatch(path.name) for path in (drawn / split).iterdir()]
        assert all(matches)
        pids[split] = [match[1] for match in matches if match]
    assert [len(found) for found in pids.values()] == [8, 4, 4 + 2 + 2]
    train, query, gallery = (set(found) for found in pids.values())
    assert (train, query) == ({"0001", "0002"}, {"0003", "0004"})
    assert gallery == {"0003", "0004", "0000", "-1"}


def test_the_dataset_reader_reads_it(drawn: Path) -> None:
    dataset = load_dataset("synthetic", drawn.parent)
    assert (len(dataset.train), len(dataset.query), len(dataset.gallery)) == (8, 4, 8)
    assert dataset.train_pids == (1, 2)


def test_same_settings_same_bytes_and_another_seed_others(tmp_path: Path, drawn: Path) -> None:
    first = contents(drawn)
    assert contents(write(tmp_path, SMALL)) == first
    other = contents(write(tmp_path, dataclasses.replace(SMALL, seed=5)))
    pictures = [name for name in first if name.endswith(".jpg")]
    assert all(first[name] != other[name] for name in pictures if name in other)


def test_files_hold_what_render_returns(drawn: Path) -> None:
    entry = next(e for e in market_plan(SMALL) if e.folder == "query")
    rendered = render(entry.person, entry.camera, entry.repeat, SMALL)
    with Image.open(drawn / entry.name) as picture:
        np.testing.assert_array_equal(np.asarray(picture), rendered.image)
    np.testing.assert_array_equal(load_mask(drawn / entry.name, 32, 16), rendered.mask)


def test_every_picture_has_a_mask_of_its_size_and_a_line_in_the_record(drawn: Path) -> None:
    record = json.loads((drawn / "synthetic.json").read_text())
    assert record["config"] == dataclasses.asdict(SMALL)
    for split in SPLITS:
        for path in (drawn / split).iterdir():
            with Image.open(path) as picture, Image.open(writer.mask_path(path)) as mask:
                assert picture.size == mask.size == (16, 32)
                assert mask.getextrema()[1] < len(PARTS)
            assert "nuisance" in record["pictures"][f"{split}/{path.name}"]


def test_mask_is_scaled_by_the_nearest_pixel(drawn: Path) -> None:
    path = next((drawn / "query").iterdir())
    mask = load_mask(path, 32, 16)
    np.testing.assert_array_equal(load_mask(path, 64, 32), mask.repeat(2, 0).repeat(2, 1))


def test_a_picture_without_mask_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"0001_c1s1_000001_00\.jpg has no part mask"):
        load_mask(tmp_path / "query" / "0001_c1s1_000001_00.jpg", 32, 16)


def test_a_complete_set_is_left_alone_and_an_incomplete_one_is_made_again(tmp_path: Path) -> None:
    folder = write(tmp_path, SMALL)
    before = contents(folder)
    stamp = (folder / "synthetic.json").stat().st_mtime_ns
    write(tmp_path, SMALL)
    assert (folder / "synthetic.json").stat().st_mtime_ns == stamp
    next((folder / "query").iterdir()).unlink()
    write(tmp_path, SMALL)
    assert contents(folder) == before


def test_other_settings_replace_the_set(tmp_path: Path) -> None:
    write(tmp_path, SMALL)
    folder = write(tmp_path, dataclasses.replace(SMALL, train_ids=1))
    assert len(list((folder / "bounding_box_train").iterdir())) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["synthetic"]


def test_a_folder_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    mine = tmp_path / "synthetic" / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("years of work")
    with pytest.raises(InputError, match="not replaced; move it away"):
        write(tmp_path, SMALL)
    assert mine.read_text() == "years of work"


def test_an_interrupted_run_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = itertools.count()
    original = writer.draw_entry

    def interrupted(folder: Path, entry: Entry, config: SyntheticConfig) -> object:
        if next(count) % 8 == 5:
            raise KeyboardInterrupt
        return original(folder, entry, config)

    monkeypatch.setattr(writer, "draw_entry", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, SMALL)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    before = contents(write(tmp_path, SMALL))
    monkeypatch.setattr(writer, "draw_entry", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, dataclasses.replace(SMALL, seed=3))
    assert [path.name for path in tmp_path.iterdir()] == ["synthetic"]
    assert contents(tmp_path / "synthetic") == before


def test_remains_of_a_killed_run_are_swept_but_not_those_of_a_live_one(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, live = (f".synthetic.{platform.node()}-{pid}-x.part" for pid in (ended.pid, os.getpid()))
    (tmp_path / dead).mkdir()
    (tmp_path / live).mkdir()
    write(tmp_path, SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == [live, "synthetic"]


def test_partial_set_in_partial_reids_layout(tmp_path: Path) -> None:
    folder = write_partial(tmp_path, SMALL)
    assert folder == tmp_path / "synthetic_partial"
    for split in ("occluded_body_images", "partial_body_images", "whole_body_images"):
        names = sorted(path.name for path in (folder / split).iterdir())
        assert names == ["001_001.jpg", "001_002.jpg", "002_001.jpg", "002_002.jpg"]
        assert load_mask(folder / split / names[0], 32, 16).max() > 0


def test_histogram_features_tell_identical_pictures_from_others(drawn: Path) -> None:
    samples = tuple(Sample(path, 1, 1) for path in sorted((drawn / "query").iterdir()))
    dataset = ReidDataset("synthetic", drawn, (), samples, samples, "x")
    features = histogram_features(dataset)
    similarity = features.query.features @ features.gallery.features.T
    assert (similarity.argmax(axis=1) == np.arange(len(samples))).all()
