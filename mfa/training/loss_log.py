"""The loss terms of an epoch: their means, and a stop where one is not finite."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from mfa.errors import InputError
from mfa.processes import ProcessGroup


class LossLog:
    """Keeps the terms of each step on the device.

    A step is looked at when the next one has been started, so that a GPU never waits for it.

    Attributes:
        terms: names of the loss terms; empty before the first step.
    """

    def __init__(
        self, epoch: int, ranks: ProcessGroup, names: Callable[[Sequence[int]], str]
    ) -> None:
        """An empty log of ``epoch``; ``names`` puts the indices of a batch into words.

        A term that is not finite in one of the processes stops all.
        """
        self._epoch, self._ranks, self._names = epoch, ranks, names
        self.terms: list[str] = []
        self._rows: list[Tensor] = []
        self._last: tuple[Sequence[int], Tensor] | None = None

    def add(self, terms: Mapping[str, Tensor], indices: Sequence[int]) -> None:
        """Take in the terms of a step, and look at the step before."""
        row = torch.stack([value.float() for value in terms.values()])
        bad = self._ranks.anywhere(~row.isfinite().all())
        self.check()
        self.terms = [*terms]
        self._rows.append(row)
        self._last = indices, bad

    def check(self) -> None:
        """Look at the last step."""
        if self._last is None or not self._last[1].item():
            return
        values = dict(zip(self.terms, self._rows[-1].tolist(), strict=True))
        broken = {name: value for name, value in values.items() if not math.isfinite(value)}
        words = ", ".join(f"{name} is {value}" for name, value in broken.items() if name != "total")
        raise InputError(
            f"the training stopped in epoch {self._epoch}, step {len(self._rows)}: "
            f"{words or 'the loss of another process is not finite'}, for the batch "
            f"{self._names(self._last[0])}",
            remedy(self._epoch),
        )

    def latest(self, name: str) -> float:
        """The last value of a term. Makes a GPU wait."""
        return self._rows[-1][self.terms.index(name)].item()

    def means(self) -> dict[str, float]:
        """The mean of each term over the steps."""
        total = torch.zeros(len(self.terms))
        for row in torch.stack(self._rows).cpu():
            total += row
        return {k: v / len(self._rows) for k, v in zip(self.terms, total.tolist(), strict=True)}


def remedy(epoch: int) -> str:
    """What to do after a training that stopped in ``epoch`` with values that are not finite."""
    kept = f"; a run folder keeps epoch {epoch - 1} to start from (--init)" if epoch > 1 else ""
    return f"train again with a lower optim.lr, or without mixed precision (--optim.no-amp){kept}"
