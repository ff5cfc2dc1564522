from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mfa.datasets import load_dataset
from mfa.datasets.selection import ROLES, gallery_roles
from mfa.errors import InputError
from mfa.records import NO_CAMERA, Features, FeatureSet, Sample
from mfa.retrieval.metrics import score


def names(samples: tuple[Sample, ...]) -> list[str]:
    return [sample.path.name for sample in samples]


def test_each_picture_has_its_role(market: Path) -> None:
    found = gallery_roles(load_dataset("market1501", market), 0)  # person 1 by camera 1
    assert list(found) == list(ROLES)
    assert names(found["match"]) == ["0001_c2s1_000005_01.jpg"]
    assert names(found["own camera"]) == ["0001_c1s1_000005_01.jpg"]
    assert [s.pid for s in found["other person"]] == [3, 3]
    assert len(found["distractor"]) == 2
    assert names(found["junk"]) == ["-1_c1s1_000001_01.jpg"]


def test_the_score_counts_the_same(market: Path) -> None:
    data = load_dataset("market1501", market)

    def side(samples: tuple[Sample, ...]) -> FeatureSet:
        rows = np.random.default_rng(0).normal(size=(len(samples), 4)).astype(np.float32)
        pids, camids = ([getattr(s, n) for s in samples] for n in ("pid", "camid"))
        return FeatureSet(rows, np.array(pids), np.array(camids), np.array(names(samples)))

    features = Features(side(data.query), side(data.gallery))
    for camera_filter in (True, False):
        result = score(features, camera_filter=camera_filter)
        for query, positives in enumerate(result.per_query["positives"]):
            found = gallery_roles(data, query, camera_filter=camera_filter)
            assert len(found["match"]) == positives
            counted = result.ranking(query, k=99)
            left_out = len(found["own camera"]) + len(found["junk"])
            assert len(counted) == len(data.gallery) - left_out


def test_a_query_without_a_camera_leaves_nothing_out(market: Path) -> None:
    data = load_dataset("market1501", market)
    blind = replace(data, query=(replace(data.query[0], camid=NO_CAMERA),))
    assert len(gallery_roles(blind, 0)["match"]) == 2
    with pytest.raises(InputError, match="no query 1"):
        gallery_roles(blind, 1)
