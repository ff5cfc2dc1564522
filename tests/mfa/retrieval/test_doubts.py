"""What makes a score misleading is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.made import made_features
from mfa.records import NO_CAMERA, Features, FeatureSet
from mfa.retrieval.metrics import score


@pytest.fixture
def features() -> Features:
    return made_features(
        queries=8, gallery=30, people=4, distractors=3, cameras=3, width=8, noise=1.0
    )


def said(features: Features, **options: bool) -> str:
    return " / ".join(score(features, **options).card["doubts"])


def blind(side: FeatureSet) -> FeatureSet:
    return replace(side, camids=np.full(len(side), NO_CAMERA))


def test_nothing_is_doubted_of_plain_features(features: Features) -> None:
    assert said(features) == ""
    assert said(features, camera_filter=False) == ""


@pytest.mark.parametrize(("value", "words"), [(0.0, "are zero"), (2.0, "are the same")])
def test_features_without_information(features: Features, value: float, words: str) -> None:
    flat = replace(features.gallery, features=np.full_like(features.gallery.features, value))
    assert f"all 30 gallery features {words}" in said(replace(features, gallery=flat))


def test_some_features_of_zero(features: Features) -> None:
    rows = features.query.features.copy()
    rows[2:4] = 0
    some = replace(features, query=replace(features.query, features=rows))
    assert "2 of 8 query features are zero" in said(some)


def test_one_list_without_cameras_switches_the_filter_off(features: Features) -> None:
    assert "the gallery list knows no cameras, so the filter is off" in said(
        replace(features, gallery=blind(features.gallery))
    )
    assert "although the gallery list knows them" in said(
        replace(features, query=blind(features.query))
    )


def test_a_query_in_its_own_gallery_finds_itself(features: Features) -> None:
    queries = features.gallery.take(np.flatnonzero(features.gallery.pids > 0)[:5])
    own = replace(features, query=queries)
    assert said(own) == ""  # the camera filter leaves the same picture out
    assert "5 of 5 queries find themselves" in said(own, camera_filter=False)
    unknown = replace(own, query=blind(queries), gallery=blind(features.gallery))
    assert "5 of 5 queries find themselves" in said(unknown)
