"""A class predicts, and is asked ten questions before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import viz
from mfa.errors import InputError
from viz.apps.lessons.ten_questions import items

MEASURED = {"A": 1.0, "B": 3.0, "C": 2.0}


def test_the_answer_shows_only_once_revealed(keep: Any, executed: Any) -> None:
    app = keep(viz.lessons.predict("Which is largest?", MEASURED, votes={"A": 5, "B": 2}))
    assert "3.000" not in app.drawing.value
    app.reveal.click()
    app.wait()
    assert "3.000" in app.drawing.value
    assert "2 of 7 hands" in app.drawing.value
    again = keep(executed(app.code())["shown"])
    assert again.drawing.value == app.drawing.value
    app.hide.click()
    app.wait()
    assert "3.000" not in app.drawing.value


def test_a_raised_hand_counts(keep: Any) -> None:
    app = keep(viz.lessons.predict("Which is largest?", pd.Series(MEASURED)))
    app.fields[2].value = 4
    app.wait()
    assert app.state.votes == (0, 0, 4)
    assert "C 4" in app.drawing.value


def test_a_prediction_needs_options_that_exist() -> None:
    with pytest.raises(InputError, match="two options or more"):
        viz.lessons.predict("?", {"A": 1.0})
    with pytest.raises(InputError, match="vote for one of: A, B, C"):
        viz.lessons.predict("?", MEASURED, votes={"D": 1})


def test_every_item_has_three_choices_and_a_right_one() -> None:
    asked = items()
    assert len(asked) == 10
    assert asked.notna().all(axis=None)
    assert asked["answer"].value_counts().between(3, 4).all()  # one letter throughout wins nothing
    assert set(asked["answer"]) == {"a", "b", "c"}


def test_answers_are_saved_and_compared(keep: Any, tmp_path: Path) -> None:
    right = list(items()["answer"])
    files = {}
    for name, answers in {"before": [*right[:4], *[""] * 6], "after": [*right[:9], ""]}.items():
        app = keep(viz.lessons.quiz(tmp_path / f"{name}.csv", answers))
        app.save.click()
        files[name] = app.out
    table = viz.lessons.quiz_difference([files["before"]], [files["after"]])
    assert table.loc["all", ["before", "after", "gain"]].tolist() == pytest.approx([0.4, 0.9, 0.5])
    assert table.loc["5", "gain"] == 1
    assert table.loc["10", "gain"] == 0


def test_a_click_is_an_answer_and_the_end_says_why(keep: Any) -> None:
    app = keep(viz.lessons.quiz())
    app.choices[0].value = items()["answer"].iloc[0]
    app.wait()
    assert "1 of 10" in app.below.value
    assert "2/4" not in app.below.value
    app.check.click()
    app.wait()
    assert "(1/1 + 2/4) / 2 = 0.75" in app.below.value


def test_what_is_no_quiz_is_a_sentence(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="holds no answers"):
        viz.lessons.quiz_difference([other], [other])
    with pytest.raises(InputError, match="name one file or more"):
        viz.lessons.quiz_difference([], [other])
    with pytest.raises(InputError, match="give ten"):
        viz.lessons.quiz(answers=("a",))
