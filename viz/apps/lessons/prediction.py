"""Predict first, then reveal: a class votes on what was measured before it sees the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import ipywidgets

from mfa.errors import InputError
from viz.apps.core import controls, html
from viz.apps.core.app import App
from viz.apps.core.worker import Job
from viz.apps.lessons.drawing import note


@dataclass(frozen=True)
class State:
    """Attributes: ``votes`` for each option, and whether the answer is ``revealed``."""

    votes: tuple[int, ...]
    revealed: bool = False


class Prediction(App[State, str]):
    """See ``viz.lessons.predict``."""

    name = "predict"
    heading = "Predict first"

    def __init__(self, question: str, measured: Mapping[str, float], state: State) -> None:
        super().__init__(state)
        self.question, self.measured = question, dict(measured)
        self.fields = [controls.number(option, 0, 99) for option in self.measured]
        self.reveal = controls.button("Reveal", "Show what was measured")
        self.hide = controls.button("Hide again", "Hide the answer and keep the votes")
        self.drawing = ipywidgets.HTML()
        for place, field in enumerate(self.fields):
            self.on(field, partial(self._vote, place))
        self.click(self.reveal, lambda: self.set(revealed=True))
        self.click(self.hide, lambda: self.set(revealed=False))
        self.start([*self.fields, controls.row([self.reveal, self.hide])], self.drawing)

    def _vote(self, place: int, change: Any) -> None:
        votes = list(self.state.votes)
        votes[place] = change["new"]
        self.set(votes=tuple(votes))

    def render(self, state: State, job: Job) -> str:
        """The question and the votes; once revealed, what was measured."""
        voted = dict(zip(self.measured, map(float, state.votes), strict=True))
        parts = [note(self.question), "<h4>you expect, hands</h4>"]
        parts.append(html.bars(voted, digits=0, signed=False))
        if state.revealed:
            most = max(self.measured, key=self.measured.__getitem__)
            negative = min(self.measured.values()) < 0
            parts.append("<h4>measured</h4>" + html.bars(self.measured, signed=negative))
            right = f"{voted[most]:.0f} of {sum(voted.values()):.0f} hands"
            parts.append(html.figures({"largest": most, "expected it": right}))
        return "".join(parts)

    def show(self, state: State, shown: str) -> None:
        """See ``App.show``."""
        self.drawing.value = shown
        with self.quiet():
            for field, hands in zip(self.fields, state.votes, strict=True):
                field.value = hands
        self.reveal.disabled, self.hide.disabled = state.revealed, not state.revealed

    def code(self) -> str:
        """See ``App.code``."""
        votes = dict(zip(self.measured, self.state.votes, strict=True))
        return (
            f"import viz\n\nviz.lessons.predict({self.question!r}, {self.measured!r}, "
            f"votes={votes!r}, revealed={self.state.revealed})\n"
        )


def predict(
    question: str,
    measured: Mapping[str, float],
    votes: Mapping[str, int] | None = None,
    revealed: bool = False,
) -> Prediction:
    """Let a class vote which option has the largest number; then show the numbers.

    Args:
        question: what to predict.
        measured: the number of each option; a series of pandas serves as well.
        votes: hands for each option.
        revealed: whether the numbers are shown.

    Raises:
        InputError: fewer than two options, or votes for one that is not there.
    """
    options = {str(name): float(value) for name, value in dict(measured).items()}
    if len(options) < 2:
        raise InputError("there is nothing to choose", "give measured two options or more")
    cast = dict(votes or {})
    for name in cast:
        if name not in options:
            raise InputError(f"no option {name!r}", f"vote for one of: {', '.join(options)}")
    state = State(tuple(int(cast.get(option, 0)) for option in options), revealed)
    return Prediction(question, options, state)
