"""Tags by hand on a retrieval on a circle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mfa.comparison.failures import TAGS, count_tags, tag_queries
from mfa.errors import InputError
from mfa.records import Features, FeatureSet
from mfa.retrieval.metrics import score


def side(rows: list[tuple[float, int, int]]) -> FeatureSet:
    """Degrees, person, camera; the second block of columns is a branch that knows everybody."""
    angles = np.radians([row[0] for row in rows])
    one = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    pids, cams = (np.array([row[i] for row in rows]) for i in (1, 2))
    features = np.concatenate([one, 0.01 * np.eye(20)[pids]], axis=1).astype(np.float32)
    return FeatureSet(features, pids, cams, np.array([f"{i}.jpg" for i in range(len(rows))]))


@pytest.fixture
def features() -> Features:
    query = side([(0, 1, 1), (90, 2, 1), (180, 3, 2), (180, 19, 2)])
    gallery = side(
        [(1, 9, 1), (5, 1, 2), (91, 2, 2), (179, 8, 5), *((180 + d, 7, 5) for d in range(30)),
         (260, 3, 1), (0, -1, 3), (270, 0, 3)]
    )  # fmt: skip
    return Features(query, gallery, branches=(("shape", 2), ("truth", 20)))


def test_tags_state_what_holds(features: Features) -> None:
    tagged = tag_queries(score(features)).set_index("query")
    assert set(tagged.index) == {0, 2}  # query 1 is right, query 3 has nobody in the gallery
    assert "near miss" in tagged.loc[0, "tags"]
    assert "same background" in tagged.loc[0, "tags"]  # person 9 by camera 1
    assert "far off" in tagged.loc[2, "tags"]
    assert "same background" not in tagged.loc[2, "tags"]
    assert all("branches disagree" in tags for tags in tagged["tags"])
    assert not any("no branch knows" in tags for tags in tagged["tags"])


def tagged_circle(
    query: list[tuple[float, int, int]], gallery: list[tuple[float, int, int]]
) -> Any:
    """Tags by query of pictures on a circle, without the branch that knows everybody."""
    sides = (side(query), side(gallery))
    flat = [replace(each, features=each.features[:, :2]) for each in sides]
    tagged = tag_queries(score(Features(*flat), camera_filter=False))
    return tagged.set_index("query")["tags"]


def test_a_lookalike_is_nearer_than_nine_in_ten_right_answers() -> None:
    # Ten right first answers, 1 to 10 degrees away: a tenth of them are nearer than about 1.9.
    people = range(1, 11)
    right = [(30.0 * pid, pid, 1) for pid in people]
    gallery = [(30.0 * pid + pid, pid, 2) for pid in people]
    wrong = [(335.0, 11, 1), (345.0, 12, 1)]
    gallery += [(336.0, 13, 2), (348.0, 14, 2), (15.0, 11, 2), (16.0, 12, 2)]
    tags = tagged_circle([*right, *wrong], gallery)
    assert list(tags.index) == [10, 11]
    assert "lookalike" in tags[10]  # 1 degree
    assert "lookalike" not in tags[11]  # 3 degrees: nearer than eight of the ten


def test_no_branch_knows_where_each_alone_is_wrong(features: Features) -> None:
    def blind(each: FeatureSet) -> FeatureSet:
        return replace(each, features=np.tile(each.features[:, :2], 2))

    halves = Features(
        blind(features.query), blind(features.gallery), branches=(("one", 2), ("two", 2))
    )
    tagged = tag_queries(score(halves)).set_index("query")
    assert "no branch knows" in tagged.loc[0, "tags"]
    assert "branches disagree" not in tagged.loc[0, "tags"]


def test_ranks_decide_near_and_far() -> None:
    gallery = [(10.0 + place, 20 - place, 2) for place in range(1, 20)]
    gallery = [(angle, 8, 2) for angle, _, _ in gallery]
    tags = tagged_circle([(10.0, 1, 1)], [*gallery[:4], (14.5, 1, 2)])
    assert tags[0][:1] == ("near miss",)  # rank 5
    tags = tagged_circle([(10.0, 1, 1)], [*gallery[:5], (15.5, 1, 2)])
    assert not {"near miss", "far off"} & {*tags[0]}  # rank 6
    tags = tagged_circle([(10.0, 1, 1)], [*gallery, (29.5, 1, 2)])
    assert not {"near miss", "far off"} & {*tags[0]}  # rank 20
    tags = tagged_circle([(10.0, 1, 1)], [*gallery, (29.2, 9, 2), (29.5, 1, 2)])
    assert "far off" in tags[0]  # rank 21


def test_measures_of_another_number_of_pictures_are_refused(features: Features) -> None:
    with pytest.raises(InputError, match="5 values of sizes for 4 queries"):
        tag_queries(score(features), sizes=[1, 2, 3, 4, 5])


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
    pixels = [70, 70, 70, 70, 40, 70, 70, 70, 70, 70]
    tagged = tag_queries(score(many), sizes=pixels).set_index("query")
    assert [q for q in tagged.index if "small box" in tagged.loc[q, "tags"]] == [4]


def test_a_loaded_result_is_refused(features: Features, tmp_path: object) -> None:
    with pytest.raises(InputError, match="without its features"):
        tag_queries(replace(score(features), features=None))
