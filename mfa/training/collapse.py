"""Notice when a training shrinks its features to nothing while the losses look healthy.

BNNeck hides it: the identity loss and the descriptor are scaled up again, so ID loss and mAP can
look well while the norm of the pooled vectors falls from 25 to 0.8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

SHRUNK = 0.2
"""Share of the starting norm under which the features count as collapsed."""

STUCK = (0.65, 0.76)
"""Triplet terms around ln 2 = 0.693, where positives and negatives are equally far."""

ADVICE = (
    "Lower loss.gla_weight, let it rise slowly (loss.warmup 0.33), or use the guided variant, "
    "whose guide a branch can reach without shrinking."
)


class CollapseWatch:
    """Takes in each epoch, and warns in words when features collapse.

    Two signs: the norm is under 20% of its start; or, in two epochs in a row, the triplet term is
    around ln 2 while the norm falls and is below its start. A triplet term around ln 2 alone is no
    alarm: hard batches have it too, also in good trainings whose norm rose and eases back.
    """

    def __init__(self, start_norm: float | None = None) -> None:
        """Begin to watch; ``start_norm`` is the feature norm before the first epoch.

        Where it is not known, the first epoch is the start: a collapse within it goes unseen.
        """
        self._start = self._previous = start_norm
        self._stuck_epochs = 0

    def state_dict(self) -> dict[str, Any]:
        """Everything the watch knows, as plain values."""
        kept = {"start": self._start, "previous": self._previous}
        return {**kept, "stuck_epochs": self._stuck_epochs}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state_dict`` was taken."""
        self._start, self._previous = (
            None if state[name] is None else float(state[name]) for name in ("start", "previous")
        )
        self._stuck_epochs = int(state["stuck_epochs"])

    def update(self, feature_norm: float, triplet: float) -> tuple[str, ...]:
        """Take in one epoch; returns a sentence for each sign of a collapse that it shows.

        Args:
            feature_norm: mean L2 norm of the pooled vectors over the epoch.
            triplet: mean unweighted soft-margin triplet term over the epoch.
        """
        if self._start is None:
            self._start = feature_norm
        falls = self._previous is not None and feature_norm < min(self._previous, self._start)
        stuck = falls and STUCK[0] <= triplet <= STUCK[1]
        self._stuck_epochs = self._stuck_epochs + 1 if stuck else 0
        self._previous = feature_norm
        warnings = []
        if feature_norm < SHRUNK * self._start:
            warnings.append(
                f"Features are collapsing: their mean length is {feature_norm:.3g}, only "
                f"{feature_norm / self._start:.0%} of the {self._start:.3g} it started with. "
                f"{ADVICE}"
            )
        if self._stuck_epochs >= 2:
            warnings.append(
                f"Features may be collapsing: for {self._stuck_epochs} epochs the triplet term has "
                f"stayed at {triplet:.2f}, near ln 2 = {math.log(2):.2f}, where the same person is "
                f"as far as another, while the features shrink (mean length {feature_norm:.3g}). "
                f"{ADVICE}"
            )
        return tuple(warnings)
