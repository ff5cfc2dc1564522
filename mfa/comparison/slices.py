"""Two results compared on parts of the queries: by camera, by picture, by people's own tags.

A part is chosen by what is known before anything is ranked. Tags that state what one result did,
such as "near miss", are no parts: whoever is chosen for a bad answer of the first result does
better in the second by chance alone (regression to the mean).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mfa.comparison.compare import TESTED, require_alike
from mfa.comparison.failures import brightness_and_size, picture_extremes
from mfa.datasets.image_list import ImageList
from mfa.datasets.picture_tags import place_in
from mfa.errors import InputError
from mfa.records import ListPosition, ReidDataset
from mfa.retrieval.results import RetrievalResult
from mfa.retrieval.statistics import holm, intervals, paired_rows, paired_test

WHOLE = "all queries"
OWN = "tag: "
"""Before the name of a part that people's own tags make."""


def query_slices(
    result: RetrievalResult, data: ReidDataset | None = None, tags: pd.DataFrame | None = None
) -> dict[str, np.ndarray]:
    """Parts of the queries by name, each (Q,) bool; parts may overlap.

    Args:
        result: whose rows of ``per_query`` are divided.
        data: the dataset; its pictures are read for the darkest and brightest tenth, and for the
            tenth with the smallest pictures.
        tags: pictures with tags (``mfa.read_tags``, ``mfa.tag_pictures``, or ``selection()`` of an
            app); those of the query list count. Needs ``data``.

    Raises:
        InputError: tags without a dataset, or a result that was loaded without its features.
    """
    camids = result.per_query["camid"].to_numpy()
    parts = {f"camera {camid}": camids == camid for camid in np.unique(camids[camids >= 0])}
    if data is None:
        if tags is not None:
            raise InputError("tags name pictures of a dataset", "give the dataset as well")
        return parts
    if result.features is None:
        raise InputError("this result was loaded without its features", "score them again")
    images = ImageList.of(data, "query", result.features.query)
    facts = brightness_and_size([image.sample for image in images.with_rows()])
    for name, found in picture_extremes(**facts).items():
        if found:
            parts[name] = np.isin(np.arange(len(camids)), list(found))
    for side, position, words in () if tags is None else _rows(tags):
        place = place_in(data, side, position)[1]
        row = images.at(ListPosition(place)).row if side == "query" else None
        for word in words if row is not None else ():
            parts.setdefault(f"{OWN}{word}", np.zeros(len(camids), dtype=bool))[row] = True
    return parts


def measure_slices(
    first: RetrievalResult,
    second: RetrievalResult,
    slices: Mapping[str, np.ndarray],
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Both results, their difference and its test, on all queries and on each part of them.

    Intervals (95 %) and tests draw and flip identities with all their queries of the part.

    Args:
        first: the reference.
        second: what is compared with it.
        slices: see ``query_slices``.
        seed: of the resampling.

    Returns:
        One row per part and figure (``rank1``, ``mAP``), fractions: ``slice``, ``figure``,
        ``queries``, ``identities``, ``first``, ``first_low``, ``first_high``, ``second``,
        ``second_low``, ``second_high``, ``difference``, ``low``, ``high``, ``p_value``, ``p_holm``
        (corrected for the number of parts, by figure; NaN for all queries). Parts that nobody
        counted in both are left out. An interval is NaN where one identity is in the part.

    Raises:
        InputError: the two may not be compared, see ``mfa.comparison.compare.compare``; or a part
            has another number of rows.
    """
    require_alike(first, second)
    tables = (result.per_query.reset_index(drop=True) for result in (first, second))
    before, after = paired_rows(*tables)
    rows = []
    for name, mask in {WHOLE: np.ones(len(first.per_query), dtype=bool), **slices}.items():
        if len(mask) != len(first.per_query):
            raise InputError(f"{name} has {len(mask)} rows for {len(first.per_query)} queries")
        held = np.asarray(mask, dtype=bool)[before.index.to_numpy()]
        if held.any():
            rows += [{"slice": name, **row} for row in _figures(before[held], after[held], seed)]
    table = pd.DataFrame(rows)
    tested = table["p_value"].where(table["slice"] != WHOLE)
    table["p_holm"] = tested.groupby(table["figure"]).transform(lambda p: holm(p.tolist()))
    return table


def _figures(before: pd.DataFrame, after: pd.DataFrame, seed: int) -> list[dict[str, Any]]:
    spread = [intervals(each, seed=seed) for each in (before, after)]
    rows = []
    for figure, metric in TESTED.items():
        test = paired_test(before, after, metric=metric, seed=seed)
        row: dict[str, Any] = {"figure": figure, "queries": test.queries, "identities": test.units}
        for name, each in zip(("first", "second"), spread, strict=True):
            low, high = each[figure]
            row |= {name: getattr(test, name), f"{name}_low": low, f"{name}_high": high}
        low, high = test.interval
        rows.append(
            row | {"difference": test.difference, "low": low, "high": high, "p_value": test.p_value}
        )
    return rows


def _rows(tags: pd.DataFrame) -> zip[tuple[Any, ...]]:
    columns = ("side", "position", "tags")
    for column in columns:
        if column not in tags:
            raise InputError(f"the table of tags has no column {column!r}", "see mfa.read_tags")
    return zip(*(tags[column].tolist() for column in columns), strict=True)
