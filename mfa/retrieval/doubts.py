"""Warnings where a score means less than it seems: printed before it, and kept in its card."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mfa.records import JUNK, NO_CAMERA, Features, FeatureSet


def doubts(features: Features, *, camera_filter: bool) -> list[str]:
    """One sentence for each thing about the features that makes their score misleading.

    ``camera_filter`` says whether the filter was asked for.
    """
    sides = {"query": features.query, "gallery": features.gallery}
    found = [sentence for name, side in sides.items() for sentence in _about_values(name, side)]
    unknown = [name for name, side in sides.items() if not knows_cameras(side)]
    if camera_filter and len(unknown) == 1:
        other = "gallery" if unknown[0] == "query" else "query"
        found.append(
            f"the {unknown[0]} list knows no cameras, so the filter is off, although the {other} "
            "list knows them: pictures of a person by the query's camera count as matches"
        )
    if not camera_filter or unknown:
        again = _found_again(features)
        if again:
            found.append(
                f"{again} of {len(features.query)} queries find themselves: the gallery holds the "
                "same picture, and no camera filter leaves it out"
            )
    return found


def knows_cameras(side: FeatureSet) -> bool:
    """Whether the camera of any picture is known."""
    return bool(np.any(side.camids != NO_CAMERA))


def _about_values(name: str, side: FeatureSet) -> list[str]:
    rows = side.features
    if len(rows) > 1 and np.array_equal(rows[0], rows[-1]) and np.all(rows == rows[0]):
        value = "zero" if not rows.any() else "the same"
        return [f"all {len(rows)} {name} features are {value}: every distance ties"]
    zeros = int(np.count_nonzero(~rows.any(axis=1)))
    if zeros:
        return [f"{zeros} of {len(rows)} {name} features are zero: they have no direction"]
    return []


def _found_again(features: Features) -> int:
    """Number of queries whose very feature stands in the gallery under the same identity."""
    query, gallery = features.query, features.gallery
    kept = np.isin(gallery.pids, query.pids) & (gallery.pids != JUNK)
    known = set(_pictures(gallery.pids[kept], gallery.features[kept]))
    return sum(picture in known for picture in _pictures(query.pids, query.features))


def _pictures(pids: np.ndarray, features: np.ndarray) -> Iterator[tuple[int, bytes]]:
    return ((int(pid), row.tobytes()) for pid, row in zip(pids, features, strict=True))
