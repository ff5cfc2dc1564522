"""Verdicts on claims from a summary made by hand."""

import pandas as pd
import pytest

from mfa.explain.paper_claims import judge_claims

BRANCHES = ("branch1", "branch2", "branch3", "branch4")
UNSEEN = ["not measured"] * 3


def row(weights, condition, branch, measure, mean, low, high, pictures=40):
    columns = ["weights", "condition", "branch", "measure", "mean", "low", "high"]
    values = (weights, condition, branch, measure, mean, low, high)
    return dict(zip(columns, values, strict=True), pictures=pictures)


@pytest.fixture
def verdicts():
    summary = pd.DataFrame(
        [
            row("trained", "all", "pairs", "cosine", 0.2, 0.15, 0.25),
            row("random", "all", "pairs", "cosine", 1.0, 1.0, 1.0),
            row("trained", "all", "all", "in order", 0.3, 0.2, 0.4),
            row("trained", "all", "fused", "person", 0.5, 0.4, 0.6),
            row("trained", "all", "even", "person", 0.45, 0.43, 0.47),
            row("trained", "all", "fused", "background", 0.3, 0.25, 0.35),
            row("trained", "all", "even", "background", 0.5, 0.48, 0.52),
            # the lower branch is the last one
            row("trained", "nothing below", "branch4", "person", 0.5, 0.4, 0.6),
            row("trained", "nothing below", "even", "person", 0.2, 0.1, 0.3),
        ]
    )
    return judge_claims(summary, BRANCHES).set_index("claim")


def test_a_verdict_needs_the_whole_interval_on_one_side(verdicts):
    assert verdicts["verdict"].tolist() == ["holds", "fails", "open", "holds", *UNSEEN, "holds"]


def test_two_pictures_are_no_verdict():
    rows = [
        row("trained", "nothing below", "branch4", "person", 0.28, 0.26, 0.30, pictures)
        for pictures in (2, 10)
    ]
    even = row("trained", "nothing below", "even", "person", 0.34, 0.22, 0.46)
    lower = "with nothing below, the lower branch falls back to the person"
    found = [
        judge_claims(pd.DataFrame([one, even]), BRANCHES).set_index("claim").loc[lower]
        for one in rows
    ]
    assert [one["verdict"] for one in found] == ["too few pictures", "fails"]
    assert [one["value"] for one in found] == [0.28, 0.28]


def test_what_no_picture_shows_is_not_judged(verdicts):
    occluders = verdicts.loc["occluders are ignored"]
    assert occluders["verdict"] == "not measured"
    assert occluders["pictures"] == 0


def test_numbers_stand_beside_the_verdict(verdicts):
    own = verdicts.loc["each branch looks at its own region"]
    assert (own["value"], own["against"], own["random"], own["pictures"]) == (0.2, 0.4, 1.0, 40)
    assert verdicts.loc["background is ignored", "against"] == 0.5
