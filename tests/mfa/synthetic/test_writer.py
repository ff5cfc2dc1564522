from __future__ import annotations

import dataclasses
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

from mfa.errors import InputError
from mfa.records import ReidDataset, Sample
from mfa.synthetic import PARTS, SyntheticConfig, load_mask, render, write, write_partial, writer
from mfa.synthetic.histogram import histogram_features
from mfa.synthetic.plan import Entry, market_plan

SMALL = SyntheticConfig(
    train_ids=2,
    test_ids=2,
    train_images=4,
    test_images=4,
    distractors=2,
    junk=2,
    height=32,
    width=16,
    partial_ids=2,
    partial_images=2,
)
NAME = re.compile(r"(-1|\d{4})_c(\d)s\d_\d{6}_\d{2}\.jpg")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_layout_names_and_counts(tmp_path: Path) -> None:
    folder = write(tmp_path, SMALL)
    assert folder == tmp_path / "synthetic"
    names = {split: sorted(p.name for p in (folder / split).iterdir()) for split in _splits()}
    assert {split: len(found) for split, found in names.items()} == {
        "bounding_box_train": 8,
        "query": 4,
        "bounding_box_test": 4 + 2 + 2,
    }
    pids = {}
    for split, found in names.items():
        matches = [NAME.fullmatch(name) for name in found]
        assert all(matches)
        pids[split] = {match[1] for match in matches if match}
    assert pids["bounding_box_train"] == {"0001", "0002"}
    assert pids["query"] == {"0003", "0004"}
    assert pids["bounding_box_test"] == {"0003", "0004", "0000", "-1"}


def _splits() -> tuple[str, ...]:
    return ("bounding_box_train", "query", "bounding_box_test")


def test_the_dataset_reader_reads_it(tmp_path: Path) -> None:
    load = pytest.importorskip("mfa.datasets.readers.load")
    write(tmp_path, SMALL)
    dataset = load.load_dataset("synthetic", tmp_path)
    assert (len(dataset.train), len(dataset.query), len(dataset.gallery)) == (8, 4, 8)
    assert dataset.train_pids == (1, 2)


def test_same_settings_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first = contents(write(tmp_path / "a", SMALL))
    assert contents(write(tmp_path / "b", SMALL)) == first
    other = contents(write(tmp_path / "c", dataclasses.replace(SMALL, seed=5)))
    pictures = [name for name in first if name.endswith(".jpg")]
    assert all(first[name] != other[name] for name in pictures if name in other)


def test_files_hold_what_render_returns(tmp_path: Path) -> None:
    folder = write(tmp_path, SMALL)
    entry = next(e for e in market_plan(SMALL) if e.folder == "query")
    drawn = render(entry.person, entry.camera, entry.repeat, SMALL)
    with Image.open(folder / entry.name) as picture:
        np.testing.assert_array_equal(np.asarray(picture), drawn.image)
    np.testing.assert_array_equal(load_mask(folder / entry.name, 32, 16), drawn.mask)


def test_every_picture_has_a_mask_of_its_size_and_a_line_in_the_record(tmp_path: Path) -> None:
    folder = write(tmp_path, SMALL)
    record = json.loads((folder / "synthetic.json").read_text())
    assert record["config"] == dataclasses.asdict(SMALL)
    for split in _splits():
        for path in (folder / split).iterdir():
            with Image.open(path) as picture, Image.open(writer.mask_path(path)) as mask:
                assert picture.size == mask.size == (16, 32)
                assert mask.getextrema()[1] < len(PARTS)
            assert "nuisance" in record["pictures"][f"{split}/{path.name}"]


def test_mask_is_scaled_by_the_nearest_pixel(tmp_path: Path) -> None:
    folder = write(tmp_path, SMALL)
    path = next((folder / "query").iterdir())
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


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    _interrupt_after(monkeypatch, 5, stop)
    with pytest.raises(stop):
        write(tmp_path, SMALL)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    write(tmp_path, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["synthetic"]


def test_an_interrupted_replacement_keeps_the_old_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(write(tmp_path, SMALL))
    _interrupt_after(monkeypatch, 5, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, dataclasses.replace(SMALL, seed=3))
    assert contents(tmp_path / "synthetic") == before


def _interrupt_after(
    monkeypatch: pytest.MonkeyPatch, pictures: int, stop: type[BaseException]
) -> None:
    drawn = []
    original = writer.draw_entry

    def interrupted(folder: Path, entry: Entry, config: SyntheticConfig) -> object:
        drawn.append(entry)
        if len(drawn) > pictures:
            raise stop
        return original(folder, entry, config)

    monkeypatch.setattr(writer, "draw_entry", interrupted)


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


def test_histogram_features_tell_identical_pictures_from_others(tmp_path: Path) -> None:
    folder = write(tmp_path, SMALL)
    samples = tuple(Sample(path, 1, 1) for path in sorted((folder / "query").iterdir()))
    dataset = ReidDataset("synthetic", folder, (), samples, samples, "x")
    features = histogram_features(dataset)
    similarity = features.query.features @ features.gallery.features.T
    assert (similarity.argmax(axis=1) == np.arange(len(samples))).all()
