"""List positions and feature rows differ behind an unreadable picture; the records keep both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mfa.datasets.image_list import ImageList
from mfa.errors import InputError
from mfa.records import FeatureRow, FeatureSet, ListPosition, Sample

SAMPLES = [
    Sample(Path("set/a/1.jpg"), 1, 1),
    Sample(Path("set/b/1.jpg"), 1, 2),  # the same name and identity in another folder
    Sample(Path("set/a/2.jpg"), 2, 1),
    Sample(Path("set/a/0.jpg"), 0, 1),
    Sample(Path("set/a/3.jpg"), 3, 2),
]


def described(positions: Sequence[int], *, recorded: bool) -> FeatureSet:
    """Descriptors of some of the samples."""
    chosen = [SAMPLES[position] for position in positions]
    return FeatureSet(
        features=np.zeros((len(chosen), 2), np.float32),
        pids=np.array([sample.pid for sample in chosen]),
        camids=np.array([sample.camid for sample in chosen]),
        names=np.array([sample.path.name for sample in chosen]),
        positions=np.array(positions) if recorded else None,
    )


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    "positions",
    [
        [0, 1, 2, 3, 4],
        [0, 1, 3, 4],  # one is unreadable
        [0, 1, 2, 4],  # distractors are left out
        [4, 3, 2],  # another order
    ],
)
def test_rows_lead_to_the_pictures_they_describe(positions: list[int], recorded: bool) -> None:
    images = ImageList(SAMPLES, "query", described(positions, recorded=recorded))
    assert [image.position for image in images.with_rows()] == positions
    assert [image.row for image in images.with_rows()] == list(range(len(positions)))
    for image in images:
        assert image.sample == SAMPLES[image.position]
        assert image.row == (
            positions.index(image.position) if image.position in positions else None
        )


def test_recorded_positions_tell_pictures_of_one_name_apart() -> None:
    """Only the second of two pictures with one name and identity could be read."""
    images = ImageList(SAMPLES, "gallery", described([1, 2], recorded=True))
    assert images.at_row(FeatureRow(0)).path == Path("set/b/1.jpg")
    assert images.at(ListPosition(0)).row is None


def test_a_subset_of_the_features_keeps_its_pictures() -> None:
    subset = described([0, 1, 3, 4], recorded=True).take(np.array([3, 1]))
    images = ImageList(SAMPLES, "gallery", subset)
    assert [image.position for image in images.with_rows()] == [4, 1]


@pytest.mark.parametrize("recorded", [True, False])
def test_features_of_another_dataset_are_refused(recorded: bool) -> None:
    with pytest.raises(InputError, match=r"'3\.jpg'.*query list"):
        ImageList(SAMPLES[:4], "query", described([1, 4], recorded=recorded))


def test_numbers_out_of_range_are_refused() -> None:
    images = ImageList(SAMPLES, "query", described([1, 2], recorded=True))
    for position in (-1, 5):
        with pytest.raises(InputError, match="0 to 4"):
            images.at(ListPosition(position))
    for row in (-1, 2):
        with pytest.raises(InputError, match="0 to 1"):
            images.at_row(FeatureRow(row))


def test_pixels_follow_a_file_that_changes(tmp_path: Path) -> None:
    file = tmp_path / "1.png"
    Image.new("RGB", (4, 8), "red").save(file)
    image = ImageList([Sample(file, 1)], "query").at(ListPosition(0))
    assert image.pixels(8, 4)[0, 0].tolist() == [255, 0, 0]
    Image.new("RGB", (5, 9), "blue").save(file)
    assert image.pixels(8, 4)[0, 0].tolist() == [0, 0, 255]
    assert not image.pixels(8, 4).flags.writeable
