"""Results side by side: may they be compared, do they differ, on which queries."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from mfa.errors import InputError
from mfa.retrieval.protocol_card import UNSTATED
from mfa.retrieval.results import RetrievalResult, as_percent
from mfa.retrieval.statistics import flipped, holm, intervals, paired_test

MUST_AGREE = (
    "dataset",
    "fingerprint",
    "split",
    "protocol",
    "query_protocol",
    "camera_filter",
    "junk",
)
"""Fields of the card without which a difference in figures means nothing."""

TESTED: dict[str, Literal["AP", "rank1"]] = {"rank1": "rank1", "mAP": "AP"}
"""Figure of a table to the metric of its test."""

_OWN = ("versions", "features", "left_out", "doubts")
"""Fields that describe the file or the machine, not the method."""


@dataclass(frozen=True)
class Comparison:
    """What two results on the same queries tell of each other.

    Attributes:
        table: one row per figure (``rank1``, ``mAP``): ``figure``, ``first``, ``second``,
            ``difference`` (second - first), ``low`` and ``high`` (95 % interval of it over
            identities), ``p_value`` (sign flips by identity); over the queries both counted,
            fractions.
        flipped: queries whose Rank-1 changed, see ``mfa.retrieval.statistics.flipped``.
        method: card fields in which the two differ, with both values: what is being compared.
        unknown: fields that must agree but are not stated in one of the cards.
        queries: how many queries were compared.
        identities: how many people they show: what was drawn and flipped.
    """

    table: pd.DataFrame
    flipped: pd.DataFrame
    method: dict[str, tuple[Any, Any]]
    unknown: tuple[str, ...]
    queries: int
    identities: int


def compare(first: RetrievalResult, second: RetrievalResult, *, seed: int = 0) -> Comparison:
    """Compare two results of one protocol."""
    require_alike(first, second)
    tests = {
        figure: paired_test(first.per_query, second.per_query, metric=metric, seed=seed)
        for figure, metric in TESTED.items()
    }
    test = tests["mAP"]
    columns = ["figure", "first", "second", "difference", "low", "high", "p_value"]
    rows = [
        (figure, t.first, t.second, t.difference, *t.interval, t.p_value)
        for figure, t in tests.items()
    ]
    return Comparison(
        table=pd.DataFrame(rows, columns=columns),
        flipped=flipped(first.per_query, second.per_query),
        method=_method(first.card, second.card),
        unknown=tuple(
            name
            for name, pair in _both(first.card, second.card, MUST_AGREE).items()
            if UNSTATED in pair
        ),
        queries=test.queries,
        identities=test.units,
    )


def require_alike(first: RetrievalResult, second: RetrievalResult) -> None:
    """Raise ``InputError`` where the cards state different data or protocols; each is named."""
    unlike = differences(first.card, second.card)
    if unlike:
        words = "; ".join(f"{name} is {a!r} and {b!r}" for name, (a, b) in unlike.items())
        raise InputError(f"these results cannot be compared: {words}; score both alike")


def differences(first: dict[str, Any], second: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Fields that must agree and are stated differently, with both values."""
    pairs = _both(first, second, MUST_AGREE)
    return {name: pair for name, pair in pairs.items() if UNSTATED not in pair and len({*pair}) > 1}


def _method(first: dict[str, Any], second: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = [name for name in {**first, **second} if name not in (*MUST_AGREE, *_OWN)]
    pairs = _both(first, second, names)
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _both(
    first: dict[str, Any], second: dict[str, Any], names: Iterable[str]
) -> dict[str, tuple[Any, Any]]:
    return {name: (first.get(name, UNSTATED), second.get(name, UNSTATED)) for name in names}


@dataclass(frozen=True)
class Overview:
    """Several results in one table.

    Attributes:
        table: one row per result, in percent: ``name``, ``mAP`` with its 95 % interval over
            identities (``mAP_low``, ``mAP_high``), ``mAP_trapezoid``, ``mINP``, ``rank1`` with its
            own (``rank1_low``, ``rank1_high``), ``rank5``, ``rank10``, ``queries``, ``dropped``.
        pairs: one row per pair of results and figure (``rank1``, ``mAP``), percent: ``first``,
            ``second``, ``figure``, ``difference`` (second - first), ``low``, ``high``,
            ``p_value``, ``p_holm`` (corrected for the number of pairs, by figure), and ``gained``
            and ``lost``, queries whose Rank-1 the second turned.
        flipped: those queries, one row per pair of results and query: ``first``, ``second``,
            and the columns of ``mfa.retrieval.statistics.flipped``.
        refused: (first, second) to why the two may not be tested against each other.
        unknown: fields that must agree but are not stated in one of the cards.
    """

    table: pd.DataFrame
    pairs: pd.DataFrame
    flipped: pd.DataFrame
    refused: dict[tuple[str, str], str]
    unknown: tuple[str, ...]


def overview(results: Mapping[str, RetrievalResult], *, seed: int = 0) -> Overview:
    """Every result's figures, and every two of them tested against each other.

    Two whose cards state different data or protocols are not tested; the difference is named.

    Args:
        results: by the name that tables show, the reference first.
        seed: of the resampling.
    """
    pairs, turned, refused, unknown = [], [], {}, set[str]()
    for (first, one), (second, other) in itertools.combinations(results.items(), 2):
        try:
            compared = compare(one, other, seed=seed)
        except InputError as error:
            refused[first, second] = str(error)
            continue
        unknown |= set(compared.unknown)
        both = {"first": first, "second": second}
        change = compared.flipped["change"].value_counts()
        for row in compared.table.to_dict("records"):
            percent = {name: as_percent(row[name]) for name in ("difference", "low", "high")}
            pairs.append(
                {**both, "figure": row["figure"], **percent, "p_value": row["p_value"]}
                | {name: int(change.get(name, 0)) for name in ("gained", "lost")}
            )
        for place, (name, value) in enumerate(both.items()):
            compared.flipped.insert(place, name, value)
        turned.append(compared.flipped)
    tested = pd.DataFrame(pairs)
    if pairs:
        corrected = tested.groupby("figure")["p_value"].transform(lambda p: holm(p.tolist()))
        tested.insert(list(tested).index("p_value") + 1, "p_holm", corrected)
    return Overview(
        table=pd.DataFrame([_row(name, result, seed) for name, result in results.items()]),
        pairs=tested,
        flipped=pd.concat(turned, ignore_index=True) if turned else pd.DataFrame(),
        refused=refused,
        unknown=tuple(name for name in MUST_AGREE if name in unknown),
    )


def _row(name: str, result: RetrievalResult, seed: int) -> dict[str, Any]:
    trusted = intervals(result.per_query, seed=seed)
    figures: dict[str, Any] = {"name": name}
    for figure in ("mAP", "mAP_trapezoid", "mINP", "rank1", "rank5", "rank10"):
        figures[figure] = as_percent(getattr(result, figure))
        if figure in ("mAP", "rank1"):
            low, high = trusted[figure]
            figures |= {f"{figure}_low": as_percent(low), f"{figure}_high": as_percent(high)}
    return {**figures, "queries": len(result.counted), "dropped": len(result.dropped)}
