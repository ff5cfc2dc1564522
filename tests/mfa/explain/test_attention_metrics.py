"""Measures of maps against masks, on maps drawn by hand."""

import numpy as np
import pandas as pd
import pytest

from mfa.explain.attention_metrics import conditions, measure_overlap, measure_regions
from mfa.explain.tables import summarise
from mfa.synthetic import PARTS

HEAD, SHINS, OCCLUDER = (PARTS.index(name) for name in ("head", "shins", "occluder"))


@pytest.fixture
def masks():
    """Two pictures of 8 x 4: head in the first row, shins in the last; the second is occluded."""
    parts = np.zeros((2, 8, 4), np.uint8)
    parts[0, 0], parts[:, 7] = HEAD, SHINS
    parts[1, 4:6] = OCCLUDER
    return parts


def value(table, picture, branch, measure):
    row = table[(table.picture == picture) & (table.branch == branch) & (table.measure == measure)]
    assert len(row) == 1
    return float(row["value"].iloc[0])


def test_shares_are_of_the_positive_part(masks):
    heat = np.zeros((2, 8, 4), np.float32)
    heat[:, 0], heat[:, 7], heat[:, 3] = 3, 1, -100
    table = measure_regions({"branch1": heat}, masks)
    assert value(table, 0, "branch1", "head") == pytest.approx(0.75)
    assert value(table, 0, "branch1", "shins") == pytest.approx(0.25)
    assert value(table, 0, "branch1", "person") == pytest.approx(1)
    assert value(table, 1, "branch1", "background") == pytest.approx(0.75)
    assert np.isnan(value(table, 1, "branch1", "head"))  # the second picture shows no head
    assert value(table, 0, "branch1", "centroid") == pytest.approx((3 * 0.5 / 8 + 1 * 7.5 / 8) / 4)


def test_an_even_map_has_the_regions_own_areas(masks):
    table = measure_regions({"branch1": np.ones((2, 8, 4), np.float32)}, masks)
    for branch in ("even", "branch1"):
        assert value(table, 0, branch, "person") == pytest.approx(2 / 8)
        assert value(table, 1, branch, "occluder") == pytest.approx(2 / 8)
    assert value(table, 1, "even", "pointing") == pytest.approx(1 / 8)


def test_pointing_asks_where_the_highest_point_is(masks):
    heat = np.zeros((2, 8, 4), np.float32)
    heat[0, 0, 1], heat[1, 5, 2] = 1, 1
    table = measure_regions({"branch1": heat}, masks)
    assert value(table, 0, "branch1", "pointing") == 1
    assert value(table, 1, "branch1", "pointing") == 0


def test_coarse_maps_count_the_area_their_pixels_cover(masks):
    heat = np.array([[[1.0], [0.0]]] * 2, np.float32)  # upper half of each picture
    table = measure_regions({"branch1": heat}, masks)
    assert value(table, 0, "branch1", "head") == pytest.approx(1 / 4)


def test_an_empty_map_has_no_number(masks):
    table = measure_regions({"branch1": -np.ones((2, 8, 4), np.float32)}, masks)
    own = table[table.branch == "branch1"]
    assert own["value"].isna().all()


def test_overlap_of_equal_and_of_disjoint_maps():
    upper, lower = np.zeros((2, 1, 10, 1), np.float32)
    upper[:, :2], lower[:, 8:] = 1, 1
    table = measure_overlap({"branch1": upper, "branch2": lower, "branch3": lower})
    for measure in ("cosine", "iou"):
        assert value(table, 0, "branch1 + branch2", measure) == 0
        assert value(table, 0, "branch2 + branch3", measure) == pytest.approx(1)
    assert value(table, 0, "all", "in order") == 0  # the last two stand level
    assert value(measure_overlap({"a": upper, "b": lower}), 0, "all", "in order") == 1
    assert value(measure_overlap({"b": lower, "a": upper}), 0, "all", "in order") == 0


def test_iou_by_hand():
    one, two = np.zeros((2, 1, 10, 1), np.float32)
    one[0, :2, 0], two[0, 1:3, 0] = (2, 3), (3, 2)
    assert value(measure_overlap({"a": one, "b": two}), 0, "a + b", "iou") == pytest.approx(1 / 3)


def test_conditions_are_read_from_the_masks(masks):
    found = conditions(masks)
    assert found["all"].tolist() == [True, True]
    assert found["whole"].tolist() == [True, False]
    assert found["occluded"].tolist() == [False, True]
    assert found["nothing above"].tolist() == [False, True]
    assert found["nothing below"].tolist() == [False, False]


def test_summary_counts_what_has_a_number_and_brackets_the_mean():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "picture": np.tile(np.arange(100), 2),
            "branch": np.repeat(["branch1", "branch2"], 100),
            "measure": "person",
            "value": rng.normal(0.5, 0.1, 200),
        }
    )
    table.loc[:9, "value"] = np.nan
    found = summarise(table).set_index("branch")
    assert found["pictures"].tolist() == [90, 100]
    own = table[table.branch == "branch1"]["value"].dropna()
    assert found.loc["branch1", "mean"] == pytest.approx(own.mean())
    width = found.loc["branch1", "high"] - found.loc["branch1", "low"]
    assert width == pytest.approx(2 * 1.96 * own.std() / 90**0.5, rel=0.2)
    grouped = summarise(table, persons=np.repeat(np.arange(5), 20)).set_index("branch")
    assert grouped.loc["branch1", "mean"] == pytest.approx(own.mean())
