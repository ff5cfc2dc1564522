"""What the paper says in words of its attention maps (Figs. 4, 5, 7), held against the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from mfa.explain.tables import EVEN

Verdict = Literal["holds", "fails", "open", "too few pictures", "not measured"]

SEPARATE = 0.4
"""Mean cosine between two branches' maps up to which they look at different places (ours)."""

ORDERED = 0.5
"""Share of pictures in order from which on we say the branches go from top to bottom (ours);
by chance four branches are in order once in 24."""

ENOUGH = 10
"""Pictures that a verdict needs; the interval of two or three says nothing."""


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper as a comparison of one row of an attention summary.

    Attributes:
        words: what is claimed.
        row: (condition, branch, measure) of trained weights.
        above: the claim says that the row's mean is the larger one.
        limit: what it is compared with; ``None`` for the same row of the even map.
    """

    words: str
    row: tuple[str, str, str]
    above: bool
    limit: float | None = None


def paper_claims(branches: tuple[str, ...]) -> tuple[Claim, ...]:
    """The claims about a network with these branches, in descriptor order."""
    upper = "with nothing above, the upper branch falls back to the person"
    lower = "with nothing below, the lower branch falls back to the person"
    return (
        Claim("each branch looks at its own region", ("all", "pairs", "cosine"), False, SEPARATE),
        Claim("the branches go from top to bottom", ("all", "all", "in order"), True, ORDERED),
        Claim("the map covers the person", ("all", "fused", "person"), True),
        Claim("background is ignored", ("all", "fused", "background"), False),
        Claim("occluders are ignored", ("occluded", "fused", "occluder"), False),
        Claim("other people are ignored", ("all", "fused", "other"), False),
        Claim(upper, ("nothing above", branches[0], "person"), True),
        Claim(lower, ("nothing below", branches[-1], "person"), True),
    )


def judge_claims(summary: pd.DataFrame, branches: tuple[str, ...]) -> pd.DataFrame:
    """Every claim with its numbers and a verdict.

    Args:
        summary: ``condition``, ``weights``, ``branch``, ``measure``, ``mean``, ``low``, ``high``,
            ``pictures``; see ``mfa.measure_attention``.
        branches: names, in descriptor order.

    Returns:
        One row per claim: ``claim``, ``pictures``, ``value``, ``low``, ``high``, ``against``,
        ``random`` (the same value from random weights), ``verdict``: ``holds`` or ``fails`` where
        the 95 % interval lies wholly on one side of ``against``, else ``open``; ``too few
        pictures`` below ``ENOUGH``; ``not measured`` where no picture allows it.
    """
    table = summary.set_index(["weights", "condition", "branch", "measure"])
    numbers = table[["mean", "low", "high", "pictures"]]

    def found(*row: str) -> pd.Series[float]:
        """NaN, and no pictures, where nothing was measured."""
        return numbers.reindex([row]).fillna({"pictures": 0}).iloc[0]

    rows = []
    for claim in paper_claims(branches):
        condition, _, measure = claim.row
        own = found("trained", *claim.row)
        against = claim.limit
        if against is None:
            against = found("trained", condition, EVEN, measure)["mean"]
        rows.append(
            {
                "claim": claim.words,
                "pictures": int(own["pictures"]),
                "value": own["mean"],
                "low": own["low"],
                "high": own["high"],
                "against": against,
                "random": found("random", *claim.row)["mean"],
                "verdict": _verdict(own, against, claim.above),
            }
        )
    return pd.DataFrame(rows)


def _verdict(own: pd.Series[float], against: float, above: bool) -> Verdict:
    if np.isnan([own["mean"], against]).any():
        return "not measured"
    if own["pictures"] < ENOUGH:
        return "too few pictures"
    larger, smaller = own["low"] > against, own["high"] < against
    if not larger and not smaller:
        return "open"
    return "holds" if larger == above else "fails"
