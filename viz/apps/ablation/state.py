"""The state of the ablation explorer."""

from __future__ import annotations

from dataclasses import dataclass

METRICS = {"mAP": "mAP", "Rank-1": "rank1", "mINP": "mINP"}
"""What people call a metric, and its column."""


@dataclass(frozen=True)
class AblationState:
    """What the app shows.

    Attributes:
        dataset: its name in the rows; the most frequent one where empty.
        plan: which of the tables of rows; empty for the first one.
        metric: ``mAP``, ``rank1`` or ``mINP``.
        methods: rows shown; empty for all.
        reference: row that the others are tested against; the first one where empty.
        published: draw published figures, too.
    """

    dataset: str = ""
    plan: str = ""
    metric: str = "mAP"
    methods: tuple[str, ...] = ()
    reference: str = ""
    published: bool = True
