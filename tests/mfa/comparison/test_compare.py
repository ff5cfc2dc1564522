"""Comparing two results: only like with like, and what differs is said."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.made import made_features
from mfa.comparison.compare import compare
from mfa.errors import InputError
from mfa.records import Features
from mfa.retrieval.metrics import score
from mfa.retrieval.results import RetrievalResult


def with_noise(noise: float, origin: dict[str, object]) -> Features:
    """The same pictures seen by a worse model the more noise there is."""
    made = made_features(
        queries=120, gallery=400, people=30, distractors=40, cameras=3, width=16, noise=1.2
    )
    rng = np.random.default_rng(9)

    def worse(features: np.ndarray) -> np.ndarray:
        return (features + noise * rng.normal(size=features.shape)).astype(np.float32)

    return dataclasses.replace(
        made,
        query=dataclasses.replace(made.query, features=worse(made.query.features)),
        gallery=dataclasses.replace(made.gallery, features=worse(made.gallery.features)),
        origin=origin,
    )


@pytest.fixture(scope="module")
def pair() -> tuple[RetrievalResult, RetrievalResult]:
    data = {"dataset": "toy", "fingerprint": "abc"}
    return (
        score(with_noise(0.5, {**data, "checkpoint": "worse", "left_out": []})),
        score(with_noise(0.0, {**data, "checkpoint": "better"})),
    )


def test_a_better_model_is_found_better(pair: tuple[RetrievalResult, RetrievalResult]) -> None:
    found = compare(*pair)
    table = found.table.set_index("figure")
    assert table.loc["mAP", "first"] == pytest.approx(pair[0].mAP)
    assert table.loc["mAP", "second"] == pytest.approx(pair[1].mAP)
    assert table.loc["mAP", "difference"] == pytest.approx(pair[1].mAP - pair[0].mAP)
    assert 0 < table.loc["mAP", "low"] < table.loc["mAP", "high"]
    assert table.loc["mAP", "p_value"] < 0.01
    gained = (found.flipped["change"] == "gained").sum()
    lost = (found.flipped["change"] == "lost").sum()
    assert table.loc["rank1", "difference"] == pytest.approx((gained - lost) / 120)
    assert found.queries == 120


def test_what_is_compared_and_what_is_unknown_is_said(
    pair: tuple[RetrievalResult, RetrievalResult],
) -> None:
    found = compare(*pair)
    assert found.method == {"checkpoint": ("worse", "better")}
    assert found.unknown == ("split",)


def test_other_data_or_protocol_is_refused_by_name(
    pair: tuple[RetrievalResult, RetrievalResult],
) -> None:
    assert pair[1].features is not None
    unfiltered = score(pair[1].features, camera_filter=False)
    with pytest.raises(InputError, match="camera_filter is True and False; score both alike"):
        compare(pair[0], unfiltered)
    elsewhere = dataclasses.replace(pair[1], card={**pair[1].card, "fingerprint": "xyz"})
    with pytest.raises(InputError, match="fingerprint is 'abc' and 'xyz'"):
        compare(pair[0], elsewhere)
    fewer = dataclasses.replace(pair[1], per_query=pair[1].per_query.iloc[:50])
    with pytest.raises(InputError, match="120 and 50 queries"):
        compare(pair[0], fewer)
