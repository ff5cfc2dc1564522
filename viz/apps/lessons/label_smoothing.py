"""Label smoothing and temperature: what the classifier is asked to say, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mfa.losses.identity import identity_loss
from viz.apps.core import html
from viz.apps.core.controls import slider
from viz.apps.lessons.drawing import beside, note
from viz.apps.lessons.lesson import Lesson


@dataclass(frozen=True)
class State:
    """Attributes: ``smoothing`` share, ``temperature``, ``logit`` of the right person."""

    smoothing: float = 0.1
    temperature: float = 1.0
    logit: float = 4.0
    people: int = 6


def target(people: int, smoothing: float) -> np.ndarray:
    """(people,) what is asked for: ``1 - smoothing`` for person 0, the rest shared by all."""
    asked = np.full(people, smoothing / people)
    asked[0] += 1 - smoothing
    return asked


def answer(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of ``logits / temperature``."""
    return torch.from_numpy(logits / temperature).softmax(dim=0).numpy()


def scores(people: int, logit: float) -> np.ndarray:
    """Logits of one picture: ``logit`` for its person, small ones for the others."""
    return np.concatenate([[logit], np.linspace(1.5, -1.0, people - 1)])


def draw(state: State) -> str:
    """Target and answer as bars, and the loss over the right person's logit."""
    names = ["right person", *(f"person {n}" for n in range(2, state.people + 1))]
    both = {
        "asked for": target(state.people, state.smoothing),
        "answered": answer(scores(state.people, state.logit), state.temperature),
    }
    bars = [
        f"<div>{what}</div>"
        + html.bars(dict(zip(names, values.tolist(), strict=True)), limit=1, signed=False)
        for what, values in both.items()
    ]
    reach = np.linspace(-2, 12, 57)
    losses = np.array([_loss(state, logit) for logit in reach])
    best = float(reach[losses.argmin()])
    numbers = {
        "loss here": f"{_loss(state, state.logit):.3f}",
        "lowest loss": f"{losses.min():.3f}",
        "reached": "at the largest logit there is" if best > 11.9 else f"at a logit of {best:.1f}",
    }
    words = (
        "Without smoothing the loss falls for ever as the logit grows, so the network is never "
        "done with the training people. With it there is a best logit, and going beyond costs. "
        "The temperature divides the logits: above 1 the answer is more even, below 1 surer."
    )
    return beside(bars) + html.figures(numbers) + note(words)


def _loss(state: State, logit: float) -> float:
    logits = torch.from_numpy(scores(state.people, logit) / state.temperature)[None]
    return identity_loss(logits, torch.tensor([0]), state.smoothing).item()


def smoothing(
    smoothing: float = 0.1, temperature: float = 1.0, logit: float = 4.0, people: int = 6
) -> Lesson[State]:
    """Play with label smoothing and temperature.

    Args:
        smoothing: share of the target spread over everybody.
        temperature: logits are divided by it.
        logit: of the right person.
        people: classes.
    """
    controls = {
        "smoothing": slider("Label smoothing", 0, 0.6),
        "temperature": slider("Temperature", 0.2, 5, 0.05),
        "logit": slider("Logit of the right person", -2, 12, 0.1),
        "people": slider("People", 3, 8, 1),
    }
    state = State(smoothing, temperature, logit, people)
    return Lesson("smoothing", "why not ask for certainty?", state, controls, draw)
