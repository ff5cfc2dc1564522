"""Where a score comes from: by pair of cameras, and by size of the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.records import JUNK, Features
from mfa.retrieval.distances import Metric
from mfa.retrieval.metrics import arranged, average_precision, first_ranks, rank_positives, score


def by_camera_pair(
    features: Features, *, camera_filter: bool = True, distance: Metric = "cosine"
) -> pd.DataFrame:
    """Score every query camera against the pictures of every gallery camera alone.

    Figures of different gallery cameras are over galleries of different sizes; the column
    ``gallery`` says which.

    Returns:
        One row per pair: ``query_camera``, ``gallery_camera``, ``queries`` (those with a match by
        that camera), ``gallery`` (pictures that may count), ``mAP``, ``rank1`` (NaN where no query
        has a match, as on the diagonal with the camera filter).
    """
    rows = []
    for gallery_camera in np.unique(features.gallery.camids):
        part = features.by_camera(gallery_camera)
        found = rank_positives(*arranged(part, camera_filter, distance))
        precision, first = average_precision(found), first_ranks(found)
        for query_camera in np.unique(features.query.camids):
            chosen = (features.query.camids == query_camera) & (found.positives > 0)
            rows.append(
                {
                    "query_camera": int(query_camera),
                    "gallery_camera": int(gallery_camera),
                    "queries": int(chosen.sum()),
                    "gallery": int(np.count_nonzero(part.gallery.pids != JUNK)),
                    "mAP": float(precision[chosen].mean()) if chosen.any() else np.nan,
                    "rank1": float((first[chosen] == 1).mean()) if chosen.any() else np.nan,
                }
            )
    return pd.DataFrame(rows)


def by_gallery_size(
    features: Features,
    sizes: Sequence[int] | None = None,
    *,
    draws: int = 3,
    seed: int = 0,
    camera_filter: bool = True,
    distance: Metric = "cosine",
) -> pd.DataFrame:
    """Score with fewer distractors: pictures of people whom no query asks for.

    All pictures of the queries' people stay, so the same queries count at every size.

    Args:
        features: both sides.
        sizes: numbers of distractors; six even steps from none to all where not given.
        draws: random choices of distractors at each size (one where there is only one choice).
        seed: of those.
        camera_filter: see ``mfa.retrieval.metrics.score``.
        distance: ``cosine`` or ``euclidean``.

    Returns:
        One row per draw: ``distractors``, ``gallery`` (pictures), ``draw``, ``mAP``,
        ``mAP_trapezoid``, ``mINP``, ``rank1``.

    Raises:
        InputError: the gallery holds nobody but the queries' people, a size is out of range, or
            what ``mfa.retrieval.metrics.score`` raises.
    """
    pids = features.gallery.pids
    asked = np.isin(pids, features.query.pids)
    kept, others = np.flatnonzero(asked), np.flatnonzero(~asked & (pids != JUNK))
    if not len(others):
        raise InputError(
            "every gallery picture shows a person of the query list: there are no distractors "
            "to leave out"
        )
    steps = np.linspace(0, len(others), 6).astype(int).tolist() if sizes is None else sizes
    rng = np.random.default_rng(seed)
    rows = []
    for size in steps:
        if not 0 <= size <= len(others):
            raise InputError(f"there are {len(others)} distractors; {size} cannot be drawn")
        for draw in range(draws if 0 < size < len(others) else 1):
            chosen = np.sort(np.concatenate([kept, rng.permutation(others)[:size]]))
            part = replace(features, gallery=features.gallery.take(chosen))
            result = score(part, camera_filter=camera_filter, distance=distance)
            figures = ("mAP", "mAP_trapezoid", "mINP", "rank1")
            row = {"distractors": size, "gallery": len(chosen), "draw": draw}
            rows.append(row | {name: getattr(result, name) for name in figures})
    return pd.DataFrame(rows)
