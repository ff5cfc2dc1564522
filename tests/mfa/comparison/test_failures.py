"""Tags by hand on a retrieval on a circle."""

from __future__ import annotations

import numpy as np
import pytest

from mfa.comparison.failures import TAGS, count_tags, tag_queries
from mfa.errors import InputError
from mfa.records import Features, FeatureSet
from mfa.retrieval.metrics import score


def side(rows: list[tuple[float, int, int]]) -> FeatureSet:
    """Degrees, person, camera; the second block of columns is the first one turned away."""
    angles = np.radians([row[0] for row in rows])
    one = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    pids, cams = (np.array([row[i] for row in rows]) for i in (1, 2))
    truth = np.eye(20)[pids]  # a branch that knows everybody
    features = np.concatenate([one, 0.01 * truth], axis=1).astype(np.float32)
    return FeatureSet(features, pids, cams, np.array([f"{i}.jpg" for i in range(len(rows))]))


@pytest.fixture
def features() -> Features:
    query = side([(0, 1, 1), (90, 2, 1), (180, 3, 2)])
    gallery = side(
        [(1, 9, 1), (5, 1, 2), (91, 2, 2), (179, 8, 5), *((180 + d, 7, 5) for d in range(30)),
         (260, 3, 1)]
    )  # fmt: skip
    return Features(query, gallery, branches=(("shape", 2), ("truth", 20)))


def test_tags_state_what_holds(features: Features) -> None:
    tagged = tag_queries(score(features)).set_index("query")
    assert set(tagged.index) == {0, 2}  # query 1 is right
    assert "near miss" in tagged.loc[0, "tags"]
    assert "same background" in tagged.loc[0, "tags"]  # person 9 by camera 1
    assert "far off" in tagged.loc[2, "tags"]
    assert "same background" not in tagged.loc[2, "tags"]
    assert all("branches disagree" in tags for tags in tagged["tags"])
    assert not any("no branch knows" in tags for tags in tagged["tags"])


def test_worst_come_first_and_counts_add_up(features: Features) -> None:
    tagged = tag_queries(score(features))
    assert list(tagged["AP"]) == sorted(tagged["AP"])
    counts = count_tags(tagged)
    assert counts["branches disagree"] == 2
    assert set(counts) <= set(TAGS)


def test_pictures_decide_dark_and_small(features: Features) -> None:
    many = Features(
        FeatureSet(
            np.repeat(features.query.features[:1], 10, axis=0),
            np.ones(10, dtype=int),
            np.ones(10, dtype=int),
            np.array([f"q{i}" for i in range(10)]),
        ),
        features.gallery,
        branches=features.branches,
    )
    grey = [50, 9, 60, 70, 80, 90, 99, 250, 100, 101]
    tagged = tag_queries(score(many), brightness=grey, sizes=[7] * 10).set_index("query")
    assert [q for q in tagged.index if "dark" in tagged.loc[q, "tags"]] == [1]
    assert [q for q in tagged.index if "bright" in tagged.loc[q, "tags"]] == [7]
    assert not any("small box" in tags for tags in tagged["tags"])


def test_a_loaded_result_is_refused(features: Features, tmp_path: object) -> None:
    from dataclasses import replace

    with pytest.raises(InputError, match="without its features"):
        tag_queries(replace(score(features), features=None))
