"""What most lessons are: a state, a control for each field, and a drawing computed from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import ipywidgets

from mfa.errors import InputError
from viz.apps.core import app
from viz.apps.core.worker import Job

S = TypeVar("S")


class Lesson(app.App[S, str]):
    """Controls beside a drawing with its words, and what else the lesson shows ``below``.

    Args:
        name: function of ``viz.lessons`` that opens it.
        heading: its title.
        state: a frozen dataclass.
        controls: of the state's fields, by their names.
        draw: makes the drawing as HTML from a state; pure.
        below: further widgets.
    """

    def __init__(
        self,
        name: str,
        heading: str,
        state: S,
        controls: Mapping[str, Any],
        draw: Callable[[S], str],
        *below: Any,
    ) -> None:
        super().__init__(state)
        self.name, self.heading = name, f"Lesson: {heading}"
        self.controls, self.draw = dict(controls), draw
        self.drawing = ipywidgets.HTML()
        for field, control in self.controls.items():
            self.bind(field, control)
        self.start(list(self.controls.values()), self.drawing, *below)

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
