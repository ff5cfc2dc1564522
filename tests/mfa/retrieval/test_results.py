"""The result of a scoring: its table, its ranking, what it keeps on disk."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.made import made_features
from mfa.errors import InputError
from mfa.records import JUNK, Features, FeatureSet
from mfa.retrieval.metrics import score
from mfa.retrieval.results import RetrievalResult


@pytest.fixture(scope="module")
def features() -> Features:
    """30 queries of 10 people, 120 gallery pictures, ten of them junk, two of those in front."""
    made = made_features(
        queries=30, gallery=120, people=10, distractors=15, cameras=3, width=8, noise=1.2
    )
    pids = made.gallery.pids.copy()
    pids[-10:] = JUNK
    rows = made.gallery.features.copy()
    rows[-2:] = made.query.features[:2]
    return dataclasses.replace(
        made, gallery=dataclasses.replace(made.gallery, pids=pids, features=rows)
    )


@pytest.fixture(scope="module")
def result(features: Features) -> Iterator[RetrievalResult]:
    """Scored and ranked in several blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mfa.retrieval.distances.BLOCK", 7)
        patch.setattr("mfa.retrieval.ranking.BLOCK", 7)
        yield score(features)


def test_the_ranking_shows_what_was_counted(features: Features, result: RetrievalResult) -> None:
    for query, row in enumerate(result.per_query.itertuples()):
        ranked = result.ranking(query, k=len(features.gallery))
        matches = ranked.loc[ranked["match"], "rank"].tolist()
        assert matches[0] == row.first_match_rank
        assert matches[-1] == row.last_match_rank
        assert len(matches) == row.positives
        assert ranked["valid"].all()
        assert ranked["distance"].is_monotonic_increasing
        assert ranked["rank"].tolist() == list(range(1, len(ranked) + 1))
        assert not (ranked["pid"] == JUNK).any()
        own = (ranked["pid"] == row.pid) & (ranked["camid"] == row.camid)
        assert not own.any()


def test_rows_name_the_gallery_picture(features: Features, result: RetrievalResult) -> None:
    ranked = result.ranking(4, k=9)
    places = ranked["gallery"].to_numpy()
    assert ranked["name"].tolist() == features.gallery.names[places].tolist()
    assert ranked["pid"].tolist() == features.gallery.pids[places].tolist()
    query = features.query.features[4].astype(float)
    rows = features.gallery.features[places].astype(float)
    cosine = rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
    np.testing.assert_allclose(ranked["distance"], 1 - cosine, atol=1e-6)


def test_ignored_pictures_are_shown_on_request_without_a_rank(result: RetrievalResult) -> None:
    shown = result.ranking(0, k=5, include_ignored=True)
    assert shown["valid"].sum() == 5
    assert shown.iloc[0]["pid"] == JUNK
    assert not shown.iloc[0]["valid"]
    assert shown["rank"].isna().tolist() == (~shown["valid"]).tolist()
    counted = shown[shown["valid"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(counted, result.ranking(0, k=5))
    last = shown.iloc[-1]
    assert (last["rank"], last["valid"]) == (5, True)


def test_same_camera_matches_are_shown_as_matches_that_do_not_count(
    features: Features, result: RetrievalResult
) -> None:
    shown = result.ranking(3, k=len(features.gallery), include_ignored=True)
    own = features.gallery.pids == features.query.pids[3]
    same_camera = own & (features.gallery.camids == features.query.camids[3])
    assert same_camera.any()
    left_out = shown[shown["match"] & ~shown["valid"]]
    assert sorted(left_out["gallery"]) == np.flatnonzero(same_camera).tolist()


def test_a_tie_is_shown_as_it_was_counted() -> None:
    side = {"camids": np.array([1, 1, 1]), "names": np.array(["match", "other", "third"])}
    gallery = FeatureSet(np.ones((3, 2), np.float32), pids=np.array([1, 2, 3]), **side)
    query = FeatureSet(
        np.ones((1, 2), np.float32), np.array([1]), np.array([2]), np.array(["query"])
    )
    ranked = score(Features(query, gallery)).ranking(0, k=3)
    assert ranked["match"].tolist() == [False, False, True]


def test_summary_is_plain_json_in_fractions_or_percent(result: RetrievalResult) -> None:
    whole, percent = result.summary(), result.summary(percent=True, draws=0)
    assert json.loads(json.dumps(whole)) == whole
    assert percent["mAP"] == round(100 * result.mAP, 2)
    assert (whole["unit"], percent["unit"]) == ("fraction", "percent")
    assert percent["interval"] == {}
    assert whole["interval"]["mAP"][0] < whole["mAP"] < whole["interval"]["mAP"][1]
    assert whole["rank1"] == result.rank1 == result.rank(1) == result.cmc[0]
    assert {"mAP_trapezoid", "mINP", "rank5", "rank10", "queries", "gallery"} <= set(whole)


def test_saved_and_loaded_is_the_same(result: RetrievalResult, tmp_path: Path) -> None:
    result.save(tmp_path / "deep" / "result.json")
    loaded = RetrievalResult.load(tmp_path / "deep" / "result.json")
    pd.testing.assert_frame_equal(loaded.per_query, result.per_query, check_dtype=False)
    assert loaded.summary() == result.summary()
    assert loaded.cmc.tolist() == result.cmc.tolist()
    assert loaded.card == json.loads(json.dumps(result.card))
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == [
        "result.csv",
        "result.json",
    ]
    with pytest.raises(InputError, match="loaded without its features"):
        loaded.ranking(0)


def test_a_picture_called_na_keeps_its_name(result: RetrievalResult, tmp_path: Path) -> None:
    table = result.per_query.copy()
    table.loc[0, "name"] = "NA"
    dataclasses.replace(result, per_query=table).save(tmp_path / "r.json")
    assert RetrievalResult.load(tmp_path / "r.json").per_query.loc[0, "name"] == "NA"


def test_loading_what_is_not_a_result_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        RetrievalResult.load(tmp_path / "none.json")
    for content, words in (("{]", "no JSON"), ("[]", "saved result"), ('{"cmc": 1}', "saved")):
        (tmp_path / "r.json").write_text(content)
        (tmp_path / "r.csv").write_text("query,name\n0,a\n")
        with pytest.raises(InputError, match=words):
            RetrievalResult.load(tmp_path / "r.json")


def test_names_that_begin_like_a_formula_come_back(features: Features, tmp_path: Path) -> None:
    names = np.array(["=1+1", "-1_c2.jpg", *features.query.names[2:]])
    found = score(
        dataclasses.replace(features, query=dataclasses.replace(features.query, names=names))
    )
    found.save(tmp_path / "r.json")
    assert "\n0,'=1+1," in (tmp_path / "r.csv").read_text()
    back = RetrievalResult.load(tmp_path / "r.json")
    assert back.per_query["name"].tolist() == found.per_query["name"].tolist()


@pytest.mark.parametrize(("query", "k", "words"), [(30, 5, "no query 30"), (-1, 5, "no query -1")])
def test_asking_beyond_the_lists_is_refused(
    result: RetrievalResult, query: int, k: int, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        result.ranking(query, k)
    with pytest.raises(InputError, match="k must be 1"):
        result.ranking(0, 0)
    with pytest.raises(InputError, match="count from 1"):
        result.rank(0)


def test_the_card_says_what_is_known_and_what_is_not(features: Features) -> None:
    stated = dataclasses.replace(features, origin={"dataset": "toy", "seed": 3, "model": "tiny"})
    card = score(stated, camera_filter=False).card
    assert (card["dataset"], card["seed"], card["model"]) == ("toy", 3, "tiny")
    assert card["checkpoint"] == "not stated"
    assert card["filter"] == "no camera filter is applied"
    assert card["junk"] == 10
    assert card["reranking"] == "none"
    assert {"ap_rule", "ties", "distance", "versions", "fingerprint", "flip"} <= set(card)
