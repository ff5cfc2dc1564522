"""The gallery pictures nearest to a descriptor, whoever they show: no labels, no score."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.progress import Progress, silent
from mfa.records import JUNK, NO_CAMERA, FeatureSet
from mfa.retrieval.distances import FeatureDistances, Metric, blocks, smallest


def nearest(gallery: FeatureSet, feature: np.ndarray, k: int = 10) -> pd.DataFrame:
    """The ``k`` gallery pictures nearest to a ``feature`` (D,), as the network made it.

    Junk (pid -1) is passed over.

    Returns:
        ``rank`` (from 1), ``gallery`` (position), ``name``, ``pid``, ``camid``, ``distance``
        (1 - cosine); equal distances in the order of the gallery.

    Raises:
        InputError: another width than the gallery's, a feature that is not finite, or ``k`` < 1.
    """
    if feature.shape != gallery.features.shape[1:]:
        raise InputError(
            f"the descriptor has shape {feature.shape}, the gallery's have "
            f"{gallery.features.shape[1:]}; embed it with the same network"
        )
    if not np.isfinite(feature).all():
        raise InputError("the descriptor holds NaN or infinity; is the picture what it should be?")
    if k < 1:
        raise InputError(f"k must be 1 or more, got {k}")
    source = FeatureDistances(feature[None], gallery.features)
    distances = source.values(source.keys(0, 1)[0], 0)
    order = np.argsort(distances, kind="stable")
    shown = order[gallery.pids[order] != JUNK][:k]
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(shown) + 1),
            "gallery": shown,
            "name": np.asarray(gallery.names)[shown],
            "pid": gallery.pids[shown],
            "camid": gallery.camids[shown],
            "distance": distances[shown],
        }
    )


def nearest_answers(
    gallery: FeatureSet, feature: np.ndarray, pid: int, camid: int, *, but: int | None = None
) -> tuple[int | None, int | None]:
    """The nearest gallery row that shows a picture's person, and the nearest that does not.

    As in scoring, pictures of the person by the picture's own camera are passed over.

    Args:
        gallery: what is searched.
        feature: (D,) of the picture.
        pid: its identity.
        camid: its camera, ``NO_CAMERA`` where unknown.
        but: its own row, where it stands in this gallery itself.

    Returns:
        Both rows; ``None`` where there is none.
    """
    table = nearest(gallery, feature, len(gallery))
    table = table[table["gallery"] != (-1 if but is None else but)]
    same = table["pid"] == pid
    right = same & ((table["camid"] != camid) | (camid == NO_CAMERA))
    first, other = (next(iter(table["gallery"][rows].tolist()), None) for rows in (right, ~same))
    return first, other


def ranking_list(
    query: FeatureSet,
    gallery: FeatureSet,
    k: int = 10,
    *,
    distance: Metric = "cosine",
    progress: Progress = silent,
) -> pd.DataFrame:
    """The ``k`` gallery pictures nearest to each query, for galleries whose people nobody knows.

    Labels are not read: every picture takes part.

    Returns:
        One row per query and rank: ``query`` and ``gallery`` (rows), ``query_name``, ``rank`` (from
        1), ``gallery_name``, ``distance``; equal distances in the order of the gallery.
    """
    if query.features.shape[1] != gallery.features.shape[1]:
        raise InputError(
            f"query features have {query.features.shape[1]} columns, the gallery's "
            f"{gallery.features.shape[1]}",
            "embed both with one network",
        )
    if not 1 <= k <= len(gallery):
        raise InputError(f"k is 1 to the {len(gallery)} pictures of the gallery, got {k}")
    source = FeatureDistances(query.features, gallery.features, distance)
    chosen = np.empty((len(query), k), dtype=np.int64)
    values = np.empty((len(query), k))
    for start, block in blocks(source, progress):
        for row, keys in enumerate(block, start):
            chosen[row] = smallest(keys, k)
            values[row] = source.values(keys[chosen[row]], row)
    rows = np.repeat(np.arange(len(query)), k)
    return pd.DataFrame(
        {
            "query": rows,
            "query_name": np.asarray(query.names)[rows],
            "rank": np.tile(np.arange(1, k + 1), len(query)),
            "gallery": chosen.ravel(),
            "gallery_name": np.asarray(gallery.names)[chosen.ravel()],
            "distance": values.ravel(),
        }
    )
