"""What every lesson is: a state, its controls, and a drawing computed from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import ipywidgets

from mfa.errors import InputError
from viz.apps.core import app
from viz.apps.core.worker import Job

S = TypeVar("S")


class Lesson(app.App[S, str]):
    """A toy: controls beside a drawing with its words, and what else it shows ``below``.

    Subclasses name themselves and give ``draw``, a pure function of the state's fields.
    """

    def __init__(self, state: S, controls: Mapping[str, Any], *below: Any) -> None:
        super().__init__(state)
        self.controls = dict(controls)
        self.drawing = ipywidgets.HTML()
        for field, control in self.controls.items():
            self.bind(field, control)
        self.start(list(self.controls.values()), self.drawing, *below)

    @abstractmethod
    def draw(self, state: S) -> str:
        """The drawing of a state as HTML."""

    def render(self, state: S, job: Job) -> str:
        """See ``App.render``."""
        for field, control in self.controls.items():
            value = getattr(state, field)
            if hasattr(control, "min") and not control.min <= value <= control.max:
                raise InputError(
                    f"{field} goes from {control.min:g} to {control.max:g} here, got {value:g}"
                )
        return self.draw(state)

    def show(self, state: S, shown: str) -> None:
        """See ``App.show``."""
        self.drawing.value = shown

    def code(self) -> str:
        """See ``App.code``."""
        fields = ", ".join(f"{k}={v!r}" for k, v in asdict(self.state).items())  # type: ignore[call-overload]
        return f"import viz\n\nviz.lessons.{self.name}({fields})\n"
