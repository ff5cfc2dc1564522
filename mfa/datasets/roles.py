"""What each gallery picture is to one query under the standard protocol, before any ranking."""

from __future__ import annotations

from mfa.errors import InputError
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, ReidDataset, Sample

ROLES = {
    "match": "the same person by another camera: to be found",
    "own camera": "the same person by the query's camera: left out",
    "other person": "somebody else: not to be found",
    "distractor": "nobody's match: not to be found",
    "junk": "a box that shows no person well: left out",
}
"""Each role with what it means for the score."""


def gallery_roles(
    dataset: ReidDataset, query: int, *, camera_filter: bool = True
) -> dict[str, tuple[Sample, ...]]:
    """The gallery of one query by role, every role present, in gallery order.

    A picture without a camera is never left out for its camera.

    Args:
        dataset: with a query list and a gallery.
        query: position in the query list.
        camera_filter: as in ``mfa.retrieval.metrics.score``; without it ``own camera`` is empty.

    Raises:
        InputError: no such query.
    """
    if not 0 <= query < len(dataset.query):
        raise InputError(
            f"no query {query} in {dataset.name}, which has {len(dataset.query)}, counted from 0"
        )
    wanted = dataset.query[query]
    found: dict[str, list[Sample]] = {role: [] for role in ROLES}
    for sample in dataset.gallery:
        found[_role(wanted, sample, camera_filter)].append(sample)
    return {role: tuple(samples) for role, samples in found.items()}


def _role(query: Sample, sample: Sample, camera_filter: bool) -> str:
    if sample.pid == JUNK:
        return "junk"
    if sample.pid == DISTRACTOR:
        return "distractor"
    if sample.pid != query.pid:
        return "other person"
    own = sample.camid == query.camid != NO_CAMERA
    return "own camera" if own and camera_filter else "match"
