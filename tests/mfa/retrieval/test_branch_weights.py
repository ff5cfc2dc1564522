"""Scoring part of a descriptor equals scoring a descriptor made of that part."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from benchmarks.made import made_features
from mfa.errors import InputError
from mfa.records import Features
from mfa.retrieval.branch_weights import score_branches, weighted
from mfa.retrieval.metrics import score


@pytest.fixture(scope="module")
def features() -> Features:
    made = made_features(
        queries=40, gallery=150, people=20, distractors=10, cameras=3, width=12, noise=1.5
    )
    return dataclasses.replace(made, branches=(("head", 3), ("torso", 5), ("legs", 4)))


def test_weight_one_for_all_is_the_whole_descriptor(features: Features) -> None:
    whole = score(features)
    parts = score_branches(features, {"head": 1, "torso": 1, "legs": 1})
    pd.testing.assert_frame_equal(parts.per_query, whole.per_query)


def test_a_branch_alone_is_its_columns(features: Features) -> None:
    alone = score_branches(features, {"torso": 0.3, "legs": 0})
    assert alone.features is not None
    assert alone.features.branches == (("torso", 5),)
    cut = dataclasses.replace(
        features,
        query=dataclasses.replace(features.query, features=features.query.features[:, 3:8]),
        gallery=dataclasses.replace(features.gallery, features=features.gallery.features[:, 3:8]),
        branches=(),
    )
    pd.testing.assert_frame_equal(alone.per_query, score(cut).per_query)
    assert alone.card["branches"] == ["torso"]
    assert alone.card["branch_weights"] == {"torso": 0.3}


def test_a_weight_multiplies_the_block_before_the_whole_is_normalised(features: Features) -> None:
    result = score_branches(features, {"head": 2, "legs": 0.5})
    ranked = result.ranking(0, k=3)
    weights = np.repeat([2, 0, 0.5], [3, 5, 4])
    query = features.query.features[0] * weights
    for row in ranked.itertuples():
        gallery = features.gallery.features[row.gallery] * weights
        cosine = query @ gallery / np.linalg.norm(query) / np.linalg.norm(gallery)
        assert row.distance == pytest.approx(1 - cosine, abs=1e-6)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"arm": 1}, "no branch 'arm'; the descriptor has head, torso, legs"),
        ({"head": -1}, "must be 0 or more"),
        ({"head": math.nan}, "must be 0 or more"),
        ({"head": 0}, "every branch has weight 0"),
        ({}, "every branch has weight 0"),
    ],
)
def test_bad_weights_are_refused(features: Features, weights: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        weighted(features, weights)


def test_features_without_branches_are_refused(features: Features) -> None:
    with pytest.raises(InputError, match="no named branches"):
        weighted(dataclasses.replace(features, branches=()), {"head": 1})
