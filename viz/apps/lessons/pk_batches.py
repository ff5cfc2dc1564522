"""PK batch: P people with K pictures each, drawn as the training's own sampler draws them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from mfa.datasets.loading.sampler import PKBatchSampler
from mfa.records import ReidDataset
from viz.apps.core import html
from viz.apps.core.code import dataset_code
from viz.apps.core.controls import slider
from viz.apps.core.images import thumbnail
from viz.apps.lessons.drawing import note
from viz.apps.lessons.lesson import Lesson
from viz.apps.widgets import Cards, Item


@dataclass(frozen=True)
class State:
    """Attributes: ``pids`` people (P), ``images`` of each (K), ``epoch``, batch ``number``."""

    pids: int = 4
    images: int = 4
    epoch: int = 1
    number: int = 0


class Pairs(NamedTuple):
    """Ordered pairs in a batch: of one person, and of different people; anchors with both."""

    same: int
    other: int
    triplets: int


def pairs(labels: np.ndarray) -> Pairs:
    """What a batch offers a triplet loss."""
    same = labels[:, None] == labels[None]
    other = ~same
    np.fill_diagonal(same, False)
    triplets = int((same.sum(axis=1) * other.sum(axis=1)).sum())
    return Pairs(int(same.sum()), int(other.sum()), triplets)


class PKBatch(Lesson[State]):
    """See ``viz.lessons.pk_batch``."""

    def __init__(self, data: ReidDataset, state: State) -> None:
        self.data = data
        pids = sorted({sample.pid for sample in data.train})
        self.labels = np.array([pids.index(sample.pid) for sample in data.train])
        self.cards = Cards(height=84, label="The batch, one person after the other")
        controls = {
            "pids": slider("People (P)", 2, min(len(pids), 12), 1),
            "images": slider("Pictures of each (K)", 1, 8, 1),
            "epoch": slider("Epoch", 1, 20, 1),
            "number": slider("Batch", 0, 30, 1),
        }
        super().__init__("pk_batch", "what is in a batch?", state, controls, self._draw, self.cards)

    def batch(self, state: State) -> list[int]:
        """Positions in the training list."""
        sampler = PKBatchSampler(self.labels.tolist(), pids=state.pids, images=state.images)
        sampler.set_epoch(state.epoch)
        batches = list(sampler)
        return [int(place) for place in batches[state.number % len(batches)]]

    def show(self, state: State, shown: str) -> None:
        """Words and pictures."""
        super().show(state, shown)
        samples = [self.data.train[place] for place in self.batch(state)]
        items = [
            Item(kind="plain", title=f"id {s.pid}", sub=f"cam {s.camid}", alt=f"person {s.pid}")
            for s in samples
        ]
        self.cards.put([thumbnail(sample.path) for sample in samples], items)

    def code(self) -> str:
        """See ``App.code``."""
        fields = ", ".join(f"{name}={value}" for name, value in asdict(self.state).items())
        opening = f"import mfa\nimport viz\n\n{dataset_code(self.data)}"
        return f"{opening}viz.lessons.pk_batch(data, {fields})\n"

    def _draw(self, state: State) -> str:
        """The counts that a triplet loss needs."""
        chosen = self.batch(state)
        found = pairs(self.labels[chosen])
        drawn = pairs(np.arange(len(chosen)))  # one picture per person: what chance mostly gives
        numbers = {
            "pictures": f"{len(chosen)}",
            "pairs of one person": f"{found.same}",
            "pairs of different people": f"{found.other}",
            "triplets": f"{found.triplets}",
        }
        beside = {"triplets": f"one picture per person: {drawn.triplets}"}
        return html.figures(numbers, beside) + note(
            "Drawn by chance from many people, a batch would hold nobody twice and so no triplet. "
            "P people with K pictures each give every anchor K - 1 positives."
        )


def pk_batch(data: ReidDataset, **state: Any) -> PKBatch:
    """See what the training's sampler puts into a batch.

    Args:
        data: a dataset with training pictures.
        **state: ``pids``, ``images``, ``epoch``, ``number``.
    """
    return PKBatch(data, State(**state))
