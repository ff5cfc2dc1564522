"""PK batch: P people with K pictures each, drawn as the training's own sampler draws them."""

from __future__ import annotations

from dataclasses import dataclass
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

    name = "pk_batch"
    heading = "Lesson: what is in a batch?"

    def __init__(self, data: ReidDataset, state: State) -> None:
        self.data = data
        pids = sorted({sample.pid for sample in data.train})
        self.labels = np.array([pids.index(sample.pid) for sample in data.train])
        self.cards = Cards(height=84, label="The batch, one person after the other")
        most = min(len(pids), 12)
        super().__init__(
            state,
            {
                "pids": slider("People (P)", 2, most, 1),
                "images": slider("Pictures of each (K)", 1, 8, 1),
                "epoch": slider("Epoch", 1, 20, 1),
                "number": slider("Batch", 0, 30, 1),
            },
            self.cards,
        )

    def batch(self, state: State) -> list[int]:
        """Positions in the training list."""
        sampler = PKBatchSampler(self.labels.tolist(), pids=state.pids, images=state.images)
        sampler.set_epoch(state.epoch)
        batches = list(sampler)
        return [int(place) for place in batches[state.number % len(batches)]]

    def draw(self, state: State) -> str:
        """The counts a triplet loss lives on."""
        chosen = self.batch(state)
        found = pairs(self.labels[chosen])
        drawn = pairs(np.arange(len(chosen)))  # one picture a person: what chance mostly gives
        return html.figures(
            {
                "pictures": f"{len(chosen)}",
                "pairs of one person": f"{found.same}",
                "pairs of different people": f"{found.other}",
                "triplets": f"{found.triplets}",
            },
            {"triplets": f"one picture a person: {drawn.triplets}"},
        ) + note(
            "Drawn by chance from many people, a batch would hold nobody twice and so no triplet. "
            "P people with K pictures each give every anchor K - 1 positives."
        )

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
        state = self.state
        return (
            f"import mfa\nimport viz\n\n{dataset_code(self.data)}"
            f"viz.lessons.pk_batch(data, pids={state.pids}, images={state.images}, "
            f"epoch={state.epoch}, number={state.number})\n"
        )


def pk_batch(data: ReidDataset, **state: Any) -> PKBatch:
    """See what the training's sampler puts into a batch.

    Args:
        data: a dataset with training pictures.
        **state: ``pids``, ``images``, ``epoch``, ``number``.
    """
    return PKBatch(data, State(**state))
