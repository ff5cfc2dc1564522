"""Slices against the paired test on the part alone, and Holm by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mfa
from mfa.comparison.slices import WHOLE, measure_slices, query_slices
from mfa.errors import InputError
from mfa.retrieval.results import RetrievalResult
from mfa.retrieval.statistics import intervals, paired_test


@pytest.fixture(scope="module")
def results(world: Any) -> list[RetrievalResult]:
    """Of two runs on the drawn people, the second made worse by noise."""
    features = mfa.extract_features(mfa.open_run(world.anchored), world.data)
    noise = np.random.default_rng(0).normal(size=features.query.features.shape)
    query = replace(features.query, features=(features.query.features + 0.1 * noise).astype("f4"))
    return [mfa.score(features), mfa.score(replace(features, query=query))]


def test_a_part_is_what_the_part_alone_gives(world: Any, results: list[RetrievalResult]) -> None:
    parts = query_slices(results[0], world.data)
    table = measure_slices(*results, parts).set_index(["slice", "figure"])
    camera = int(results[0].per_query["camid"].iloc[0])
    alone = [result.per_query[result.per_query["camid"] == camera] for result in results]
    test, row = paired_test(*alone), table.loc[f"camera {camera}", "mAP"]
    assert (row["first"], row["second"]) == (test.first, test.second)
    assert (row["low"], row["high"]) == test.interval
    assert (row["p_value"], row["identities"]) == (test.p_value, test.units)
    assert (row["second_low"], row["second_high"]) == intervals(alone[1])["mAP"]
    whole = table.loc[WHOLE, "rank1"]
    assert whole["first"] == pytest.approx(results[0].rank1)
    assert np.isnan(whole["p_holm"])
    for figure in ("rank1", "mAP"):
        tested = table.xs(figure, level="figure").drop(WHOLE)
        smallest = tested["p_value"].idxmin()
        by_hand = min(1.0, len(tested) * tested["p_value"].min())
        assert tested["p_holm"][smallest] == pytest.approx(by_hand)


def test_peoples_tags_are_parts(world: Any, results: list[RetrievalResult]) -> None:
    tags = mfa.tag_pictures(world.data, {"hat": {"query": [0, 2], "gallery": [1]}})
    parts = query_slices(results[0], world.data, tags)
    assert np.flatnonzero(parts["tag: hat"]).tolist() == [0, 2]
    counted = results[0].per_query.loc[[0, 2], "positives"].gt(0).sum()
    table = measure_slices(*results, {"tag: hat": parts["tag: hat"]})
    assert set(table.loc[table["slice"] == "tag: hat", "queries"]) == {counted}
    with pytest.raises(InputError, match="give the dataset"):
        query_slices(results[0], tags=tags)
    with pytest.raises(InputError, match="no column 'tags'"):
        query_slices(results[0], world.data, tags.drop(columns="tags"))


def test_empty_parts_are_left_out_and_wrong_ones_refused(results: list[RetrievalResult]) -> None:
    count = len(results[0].per_query)
    table = measure_slices(*results, {"nobody": np.zeros(count, dtype=bool)})
    assert list(table["slice"].unique()) == [WHOLE]
    one = results[0].per_query["pid"].to_numpy() == results[0].per_query["pid"].iloc[0]
    alone = measure_slices(*results, {"one person": one}).iloc[-1]
    assert np.isnan(alone["low"])  # nobody else to draw
    with pytest.raises(InputError, match="2 rows for"):
        measure_slices(*results, {"short": np.ones(2, dtype=bool)})
    other = replace(results[1], card={**results[1].card, "camera_filter": "none"})
    with pytest.raises(InputError, match="cannot be compared"):
        measure_slices(results[0], other, {})
