"""Ten questions, asked before and after the course, and what a class learned in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd

from mfa.errors import InputError
from mfa.files import atomic
from viz.apps.core import controls, html
from viz.apps.core.app import App
from viz.apps.core.worker import Job

ITEMS = Path(__file__).with_name("ten_questions.csv")


def items() -> pd.DataFrame:
    """The ten questions, one per row: three choices, the right one, and why."""
    return pd.read_csv(ITEMS, dtype=str).set_index("number")


@dataclass(frozen=True)
class State:
    """Attributes: ``answers``, a letter or nothing for each item; whether they are ``checked``."""

    answers: tuple[str, ...] = ("",) * 10
    checked: bool = False


class Quiz(App[State, str]):
    """See ``viz.lessons.quiz``."""

    name = "quiz"
    heading = "Ten questions"

    def __init__(self, out: Path, state: State) -> None:
        super().__init__(state)
        self.out, self.items = out, items()
        self.choices = [_choices(row) for _, row in self.items.iterrows()]
        self.save = controls.button("Save the answers", f"Write them to {out}")
        self.check = controls.button("Show the right answers", "After the second time only")
        self.below = ipywidgets.HTML()
        panel: list[Any] = []
        for place, (number, row) in enumerate(self.items.iterrows()):
            panel += [controls.title(f"{number}. {row['question']}"), self.choices[place]]
            self.on(self.choices[place], partial(self._answer, place))
        self.click(self.save, self._save)
        self.click(self.check, lambda: self.set(checked=True))
        self.start([*panel, controls.row([self.save, self.check])], self.below)

    def _answer(self, place: int, change: Any) -> None:
        answers = list(self.state.answers)
        answers[place] = change["new"] or ""
        self.set(answers=tuple(answers))

    def _save(self) -> None:
        marked = pd.DataFrame({"answer": self.state.answers}, index=self.items.index)
        marked["right"] = marked["answer"] == self.items["answer"]
        with atomic(self.out) as draft:
            marked.to_csv(draft)
        self.say(f"Saved as {self.out}.")

    def render(self, state: State, job: Job) -> str:
        """How many are answered; once checked, the right answers and why."""
        given = sum(answer != "" for answer in state.answers)
        if not state.checked:
            return html.figures({"answered": f"{given} of {len(self.items)}"})
        right = [a == b for a, b in zip(state.answers, self.items["answer"], strict=True)]
        rows = [
            [str(number), row[f"choice_{row['answer']}"], "yes" if good else "no", row["why"]]
            for (number, row), good in zip(self.items.iterrows(), right, strict=True)
        ]
        table = html.table(["", "answer", "you had it", "why"], rows, prose=True)
        return html.figures({"right": f"{sum(right)} of {len(right)}"}) + table

    def show(self, state: State, shown: str) -> None:
        """See ``App.show``."""
        self.below.value = shown
        with self.quiet():
            for choice, letter in zip(self.choices, state.answers, strict=True):
                choice.value = letter or None

    def code(self) -> str:
        """See ``App.code``."""
        return f"import viz\n\nviz.lessons.quiz({str(self.out)!r}, {self.state.answers!r})\n"


def _choices(row: pd.Series) -> Any:
    options = [(row[f"choice_{letter}"], letter) for letter in "abc"]
    return ipywidgets.RadioButtons(options=options, value=None, layout={"width": "100%"})


def quiz(out: str | Path = "quiz-before.csv", answers: Sequence[str] = ("",) * 10) -> Quiz:
    """Ask the ten questions of the course.

    Args:
        out: file that the answers are saved to.
        answers: a letter (a, b or c) or nothing for each question.

    Raises:
        InputError: not ten answers, or another letter.
    """
    if len(answers) != len(items()) or not set(answers) <= {"", "a", "b", "c"}:
        raise InputError(f"answers is {answers!r}", "give ten, each a, b, c or empty")
    return Quiz(Path(out), State(tuple(answers)))


def quiz_difference(before: Sequence[str | Path], after: Sequence[str | Path]) -> pd.DataFrame:
    """What a class learned: the share of right answers before and after, item by item.

    Args:
        before: files that ``quiz`` saved before the course, one a person.
        after: those of the same class afterwards.

    Returns:
        A row an item and one for all: ``question``, ``before``, ``after`` and ``gain``, each the
        share of right answers (0 to 1).
    """
    shares = pd.DataFrame({"before": _shares(before), "after": _shares(after)})
    shares.loc["all"] = shares.mean()
    shares.insert(0, "question", items()["question"])
    return shares.assign(gain=shares["after"] - shares["before"]).fillna({"question": ""})


def _shares(files: Sequence[str | Path]) -> pd.Series:
    """Share of right answers to each item."""
    if not files:
        raise InputError("no answers were given", "name one file or more on either side")
    return pd.concat([_read(Path(file)) for file in files], axis=1).mean(axis=1)


def _read(file: Path) -> pd.Series:
    try:
        saved = pd.read_csv(file, dtype=str, keep_default_na=False).set_index("number")
        return (saved["answer"] == items()["answer"]).astype(float)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{file} holds no answers of the quiz ({error})", "name files that the quiz saved"
        ) from error
