"""What the paper says in words of its attention maps (Figs. 4, 5, 7), held against the numbers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from mfa.explain.attention_metrics import EVEN

Verdict = Literal["holds", "fails", "open", "not measured"]

SEPARATE = 0.4
"""Mean cosine between two branches' maps up to which they look at different places (ours)."""

ORDERED = 0.5
"""Share of pictures in order from which on we say the branches go from top to bottom (ours);
by chance four branches are in order once in 24."""


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper as a comparison of two rows of an attention summary.

    Attributes:
        words: what is claimed.
        row: (condition, branch, measure) of trained weights.
        against: the same triple that the first is to be above or below, or a number.
        above: the claim says that the first is larger.
    """

    words: str
    row: tuple[str, str, str]
    against: tuple[str, str, str] | float
    above: bool


def paper_claims(branches: tuple[str, ...]) -> tuple[Claim, ...]:
    """The claims about a network with these branches, in descriptor order."""
    first, last = branches[0], branches[-1]
    return (
        Claim("each branch looks at its own region", ("all", "pairs", "cosine"), SEPARATE, False),
        Claim("the branches go from top to bottom", ("all", "all", "in order"), ORDERED, True),
        Claim("the map covers the person", *_against_even("all", "fused", "person"), True),
        Claim("background is ignored", *_against_even("all", "fused", "background"), False),
        Claim("occluders are ignored", *_against_even("occluded", "fused", "occluder"), False),
        Claim("other people are ignored", *_against_even("all", "fused", "other"), False),
        Claim(
            "with nothing above, the upper branch falls back to the person",
            *_against_even("nothing above", first, "person"),
            True,
        ),
        Claim(
            "with nothing below, the lower branch falls back to the person",
            *_against_even("nothing below", last, "person"),
            True,
        ),
    )


def judge_claims(summary: pd.DataFrame, branches: tuple[str, ...]) -> pd.DataFrame:
    """Every claim with its numbers and a verdict.

    Args:
        summary: ``condition``, ``weights``, ``branch``, ``measure``, ``mean``, ``low``, ``high``,
            ``pictures``; see ``mfa.measure_attention``.
        branches: names, in descriptor order.

    Returns:
        One row a claim: ``claim``, ``pictures``, ``value``, ``low``, ``high``, ``against``,
        ``random`` (the same value from random weights), ``verdict``: ``holds`` or ``fails`` where
        the 95 % interval lies wholly on one side of ``against``, else ``open``;
        ``not measured`` where no picture allows it.
    """
    table = {
        (row["weights"], row["condition"], row["branch"], row["measure"]): row
        for row in summary.to_dict("records")
    }
    rows = []
    for claim in paper_claims(branches):
        value = table.get(("trained", *claim.row))
        against = claim.against
        if not isinstance(against, float):
            other = table.get(("trained", *against))
            against = float("nan") if other is None else float(other["mean"])
        control = table.get(("random", *claim.row))
        rows.append(
            {
                "claim": claim.words,
                "pictures": 0 if value is None else int(value["pictures"]),
                **{
                    name: float("nan") if value is None else float(value[key])
                    for name, key in (("value", "mean"), ("low", "low"), ("high", "high"))
                },
                "against": against,
                "random": float("nan") if control is None else float(control["mean"]),
                "verdict": _verdict(value, against, claim.above),
            }
        )
    return pd.DataFrame(rows)


def _against_even(
    condition: str, branch: str, measure: str
) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    return (condition, branch, measure), (condition, EVEN, measure)


def _verdict(value: Mapping[Hashable, Any] | None, against: float, above: bool) -> Verdict:
    if value is None or against != against:
        return "not measured"
    larger, smaller = value["low"] > against, value["high"] < against
    if not larger and not smaller:
        return "open"
    return "holds" if larger == above else "fails"
