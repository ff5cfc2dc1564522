"""Tables of what maps are worth: what their rows are called, and means with intervals.

Reads tables alone, without PyTorch, so that charts of a stored table start at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mfa.retrieval.statistics import mean_interval

FUSED = "fused"
"""Name of the map of the whole descriptor."""

EVEN = "even"
"""Row name of a map that is the same everywhere: what a measure is worth without any attention."""

SHUFFLED = "another picture's map"
"""Control: the fused (else the last) map, handed on to the next picture."""

SILHOUETTE, EDGES = "person's silhouette", "edges of the picture"
"""Controls that no network made, see ``faithfulness.picture_controls``."""

LIKENESS = "likeness"
CURVES = MOST, LEAST = "most relevant first", "least relevant first"
CHANGES, ORDERS = "changes with the weights", "top matters more than bottom"
BEATS = "orders better than"
"""Checks of a passport, see ``passport.measure_passport``."""


def summarise(
    table: pd.DataFrame,
    by: Sequence[str] = ("branch", "measure"),
    *,
    persons: np.ndarray | None = None,
    value: str = "value",
    seed: int = 0,
) -> pd.DataFrame:
    """Means of a tidy table with 95 % bootstrap intervals.

    Args:
        table: with columns ``by``, ``picture`` and ``value``; NaN values are not counted.
        by: columns that name a row of the result; they may be NaN.
        persons: identity of each picture: whole persons are then resampled, since their pictures
            resemble each other.
        value: column to average.
        seed: of the resampling.

    Returns:
        ``by``, ``mean``, ``low``, ``high``, ``pictures`` (how many were counted), in the table's
        own order.
    """
    rows = []
    for key, group in table.dropna(subset=[value]).groupby(list(by), sort=False, dropna=False):
        values = group[value].to_numpy(float)
        groups = None if persons is None else persons[group["picture"].to_numpy()]
        low, high = mean_interval(values, groups=groups, seed=seed)
        rows.append((*key, values.mean(), low, high, len(values)))
    return pd.DataFrame(rows, columns=[*by, "mean", "low", "high", "pictures"])


def persons_of(table: pd.DataFrame) -> np.ndarray | None:
    """Identity of each picture of a faithfulness table, for ``summarise``.

    ``None`` where the table has no identities; its intervals are then over pictures.
    """
    if "pid" not in table:
        return None
    persons = table.groupby("picture")["pid"].first()
    return persons.reindex(range(int(persons.index.max()) + 1), fill_value=-1).to_numpy()
