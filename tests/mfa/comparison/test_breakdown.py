"""Parts of a score against scoring the part by itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.made import made_features
from mfa.comparison.breakdown import by_camera_pair, by_gallery_size
from mfa.errors import InputError
from mfa.records import Features
from mfa.retrieval.metrics import score


@pytest.fixture(scope="module")
def features() -> Features:
    return made_features(
        queries=40, gallery=160, people=12, distractors=40, cameras=3, width=8, noise=1.3
    )


@pytest.mark.parametrize("camera_filter", [True, False])
def test_a_camera_pair_is_that_part_scored(features: Features, camera_filter: bool) -> None:
    table = by_camera_pair(features, camera_filter=camera_filter)
    assert len(table) == 9
    for row in table.itertuples():
        part = dataclasses.replace(
            features,
            query=features.query.take(np.flatnonzero(features.query.camids == row.query_camera)),
            gallery=features.gallery.take(
                np.flatnonzero(features.gallery.camids == row.gallery_camera)
            ),
        )
        assert row.gallery == len(part.gallery)
        if camera_filter and row.query_camera == row.gallery_camera:
            assert row.queries == 0
            assert np.isnan(row.mAP)
            continue
        result = score(part, camera_filter=camera_filter)
        assert row.queries == len(result.counted)
        assert row.mAP == pytest.approx(result.mAP)
        assert row.rank1 == pytest.approx(result.rank1)


def test_gallery_size_ends_are_without_and_with_all_distractors(features: Features) -> None:
    table = by_gallery_size(features, draws=2)
    assert table["distractors"].tolist() == [0, 8, 8, 16, 16, 24, 24, 32, 32, 40]
    assert table["gallery"].tolist() == [120 + size for size in table["distractors"]]
    assert table["mAP"].iloc[-1] == pytest.approx(score(features).mAP)
    none = np.flatnonzero(features.gallery.pids != 0)
    alone = dataclasses.replace(features, gallery=features.gallery.take(none))
    assert table["mAP"].iloc[0] == pytest.approx(score(alone).mAP)
    assert table["mAP"].iloc[0] > table["mAP"].iloc[-1]


def test_sizes_repeat_with_the_seed_and_are_checked(features: Features) -> None:
    one = by_gallery_size(features, [10], draws=2, seed=4)
    assert one.equals(by_gallery_size(features, [10], draws=2, seed=4))
    assert not one.equals(by_gallery_size(features, [10], draws=2, seed=5))
    with pytest.raises(InputError, match="there are 40 distractors; 41 cannot be drawn"):
        by_gallery_size(features, [41])


def test_without_distractors_there_is_no_curve(features: Features) -> None:
    asked = np.flatnonzero(features.gallery.pids != 0)
    with pytest.raises(InputError, match="no distractors"):
        by_gallery_size(dataclasses.replace(features, gallery=features.gallery.take(asked)))
