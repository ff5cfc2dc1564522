"""TensorBoard's view of a training: the figures of ``history.csv`` as events."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import pandas as pd

from mfa.errors import extra

FOLDER = "tensorboard"
"""Where the events of a run lie in its folder."""


class Events:
    """One scalar for each figure of an epoch, called as its column of ``history.csv``.

    The events start with the epochs that the history holds already. Those that lie in the folder
    are removed first, so that after a resume TensorBoard shows each epoch once, as the history has
    it.
    """

    def __init__(self, run: Path, history: pd.DataFrame) -> None:
        """Write what ``history`` holds of the training in the folder ``run``."""
        with extra("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter
        for old in (run / FOLDER).glob("events.out.tfevents.*"):
            old.unlink()
        self._writer = SummaryWriter(run / FOLDER)
        for row in history.to_dict("records"):
            self.add(row)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def add(self, row: Mapping[Any, Any]) -> None:
        """Write an epoch, a row of the history: its figures as scalars, its warnings as text."""
        epoch = int(row["epoch"])
        for name, value in row.items():
            if name == "warnings":
                if value:
                    self._writer.add_text(name, value, epoch)
            elif name != "epoch" and math.isfinite(value):  # a figure that an epoch lacks is NaN
                self._writer.add_scalar(name, value, epoch)
        self._writer.flush()
