"""The score ledgers of one query with some gallery pictures, together with the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mfa.errors import InputError
from mfa.explain.inputs import input_size
from mfa.explain.ledger import PairLedger, pair_ledgers
from mfa.explain.pictures import read_picture, reference_pictures, seen_by_cameras
from mfa.inference.evaluate import resolve
from mfa.records import ReidDataset
from mfa.runs.run import Run


@dataclass(frozen=True, eq=False)
class RankLedgers:
    """Ledgers of one query and the pictures that they are about.

    Attributes:
        ledgers: one per gallery picture.
        query: (H, W, 3).
        gallery: one (H, W, 3) per ledger.
        matches: whether each gallery picture shows the query's identity; ``None`` where pictures
            instead of positions were given.
    """

    ledgers: list[PairLedger]
    query: np.ndarray
    gallery: list[np.ndarray]
    matches: list[bool] | None


def rank_ledgers(
    run: Any,
    query: Any,
    gallery: Sequence[Any],
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | None = None,
    reference: Any = None,
) -> RankLedgers:
    """Read a query and some gallery pictures, and split each score.

    Args:
        run: a run or a network.
        query: a position in the dataset's query list, a path, or a picture.
        gallery: the same, of the gallery list.
        data: dataset of the positions, or its name; by default what the run was trained on.
        data_root: where datasets lie, for a name.
        reference: see ``pair_ledgers``; by default some gallery pictures for a run and positions.

    Raises:
        InputError: there is no such position or no dataset, no gallery picture is named, or a
            picture cannot be read.
    """
    if not len(gallery):
        raise InputError("name at least one gallery picture to explain")
    by_position = [isinstance(each, int | np.integer) for each in (query, *gallery)]
    found = None
    if any(by_position):
        if not isinstance(run, Run) and not isinstance(data, ReidDataset):
            raise InputError("a bare network knows no dataset; give pictures, or data=")
        found = resolve(run, data, data_root)
    lists = ((), ()) if found is None else (found.query, found.gallery)
    size = input_size(run)
    one = read_picture(query, lists[0], "query", size)
    others = [read_picture(each, lists[1], "gallery", size) for each in gallery]
    shown: tuple[Any, Any] = one, others
    matches = None
    if found is not None and isinstance(run, Run):
        if reference is None:
            reference = reference_pictures(run, found)
        if all(by_position):
            first, rest = lists[0][query], [lists[1][place] for place in gallery]
            shown = (
                seen_by_cameras(run, one, [first], found),
                seen_by_cameras(run, others, rest, found),
            )
            matches = [sample.pid == first.pid for sample in rest]
    return RankLedgers(pair_ledgers(run, *shown, reference=reference), one, others, matches)
