"""The state of the training monitor."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TrainingState:
    """What is trained and watched.

    Attributes:
        folder: of the run.
        preset, variant, epochs, seed: of the training; ``variant`` empty for the preset's own.
        probes: positions in the query list whose maps make the filmstrip; by default the first
            pictures of three people.
        epoch: finished epochs shown.
    """

    folder: str = field(default="", metadata={"given": True})
    preset: str = "demo"
    variant: str = ""
    epochs: int = 16
    seed: int = 0
    probes: tuple[int, ...] = (0, 1, 2)
    epoch: int = field(default=0, metadata={"given": True})
