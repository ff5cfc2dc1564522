"""What every lesson is: a state, its controls, and a drawing computed from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import ipywidgets

from viz.apps import base
from viz.apps.widgets import Slider
from viz.apps.worker import Job

S = TypeVar("S")


class Lesson(base.App[S, str]):
    """A toy: controls above, a drawing with its words below.

    Subclasses name themselves and give ``draw``, a pure function of the state's fields.
    """

    def __init__(self, state: S, controls: Mapping[str, Any]) -> None:
        super().__init__(state)
        self.controls = dict(controls)
        self.drawing = ipywidgets.HTML()
        for field, control in self.controls.items():
            if isinstance(control, Slider) and isinstance(getattr(state, field), int):
                self.on(control, lambda change, f=field: self._whole(f, change))  # type: ignore[misc]
                control.value = getattr(state, field)
            else:
                self.bind(field, control)
        self.start(base.row(list(self.controls.values())), self.drawing)

    @abstractmethod
    def draw(self, state: S) -> str:
        """The drawing of a state as HTML."""

    def render(self, state: S, job: Job) -> str:
        """See ``App.render``."""
        return self.draw(state)

    def show(self, state: S, shown: str) -> None:
        """See ``App.show``."""
        for field, control in self.controls.items():
            control.value = getattr(state, field)
        self.drawing.value = shown

    def code(self) -> str:
        """See ``App.code``."""
        fields = ", ".join(f"{k}={v!r}" for k, v in asdict(self.state).items())  # type: ignore[call-overload]
        return f"import viz\n\nlesson = viz.apps.lessons.{self.name}({fields})\nlesson\n"

    def _whole(self, field: str, change: Any) -> None:
        self.set(**{field: int(change["new"])})


def whole(label: str, low: int, high: int) -> Slider:
    """A slider of whole numbers."""
    return Slider(label=label, min=low, max=high, step=1, digits=0)


def real(label: str, low: float, high: float, step: float = 0.01) -> Slider:
    """A slider of real numbers."""
    return Slider(label=label, min=low, max=high, step=step)
