"""Weighted sums of kept products score as the weighted features themselves do."""

from __future__ import annotations

import numpy as np
import pytest

from mfa.errors import InputError
from mfa.records import Features, FeatureSet
from mfa.retrieval.branch_products import BranchProducts, bytes_needed
from mfa.retrieval.branch_weights import score_branches
from mfa.retrieval.metrics import score


def made(queries: int = 70, gallery: int = 90) -> Features:
    rng = np.random.default_rng(3)

    def side(count: int) -> FeatureSet:
        return FeatureSet(
            rng.normal(size=(count, 12)).astype(np.float32),
            rng.integers(-1, 9, count),
            rng.integers(1, 4, count),
            np.array([f"{i}.jpg" for i in range(count)]),
        )

    return Features(side(queries), side(gallery), branches=(("a", 3), ("b", 5), ("c", 4)))


@pytest.mark.parametrize("weights", [{"a": 1, "b": 1, "c": 1}, {"a": 0.3, "c": 2.0}, {"b": 1}])
@pytest.mark.parametrize("camera_filter", [True, False])
def test_scores_are_those_of_weighted_features(weights: dict[str, float], camera_filter: bool):
    features = made()
    products = BranchProducts(features)
    fast = score(
        products.weighted_features(weights),
        camera_filter=camera_filter,
        distance=products.weighted(weights),
    )
    slow = score_branches(features, weights, camera_filter=camera_filter)
    assert np.allclose(fast.per_query["AP"], slow.per_query["AP"], atol=1e-9, equal_nan=True)
    ours, theirs = fast.ranking(5, 8), slow.ranking(5, 8)
    assert list(ours["gallery"]) == list(theirs["gallery"])
    assert np.allclose(ours["distance"], theirs["distance"], atol=1e-6)


def test_keys_come_in_the_gallerys_order_unless_asked_otherwise():
    features = made()
    distances = BranchProducts(features).weighted({"a": 1.0, "b": 0.5, "c": 2.0})
    scale = np.repeat([1.0, 0.5, 2.0], (3, 5, 4))
    query, gallery = (side.features * scale for side in (features.query, features.gallery))
    cosine = (query @ gallery.T) / np.outer(
        np.linalg.norm(query, axis=1), np.linalg.norm(gallery, axis=1)
    )
    assert np.allclose(distances.keys(3, 69), -cosine[3:69], atol=1e-6)
    order = np.random.default_rng(0).permutation(90)
    assert np.allclose(distances.reordered(order).keys(0, 70), -cosine[:, order], atol=1e-6)


def test_bad_weights_are_refused_and_memory_is_told():
    products = BranchProducts(made())
    with pytest.raises(InputError, match="every branch has weight 0"):
        products.weighted({"a": 0.0})
    with pytest.raises(InputError, match="no branch 'z'"):
        products.weighted({"z": 1.0})
    assert bytes_needed(made()) == sum(p.nbytes for p in products.products.values())
