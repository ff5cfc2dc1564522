"""What makes a score mean less than it looks: said before the number, and kept in its card."""

from __future__ import annotations

import numpy as np

from mfa.records import JUNK, NO_CAMERA, Features, FeatureSet


def doubts(features: Features, *, camera_filter: bool) -> list[str]:
    """One sentence for each thing about the features that makes their score misleading.

    Args:
        features: what is scored.
        camera_filter: whether the camera filter was asked for.
    """
    sides = {"query": features.query, "gallery": features.gallery}
    found = [
        sentence
        for name, side in sides.items()
        for sentence in _about_values(name, side)
        if sentence
    ]
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
    return bool(np.any(np.asarray(side.camids) != NO_CAMERA))


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
    gallery = features.gallery
    kept = np.isin(gallery.pids, features.query.pids) & (gallery.pids != JUNK)
    known = {
        (int(pid), row.tobytes())
        for pid, row in zip(gallery.pids[kept], gallery.features[kept], strict=True)
    }
    return sum(
        (int(pid), row.tobytes()) in known
        for pid, row in zip(features.query.pids, features.query.features, strict=True)
    )
