"""Choose images of a dataset, count them, and say what each is to one query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import cast, get_args

import pandas as pd

from mfa.datasets.image_list import ImageList, ListedImage
from mfa.datasets.readers.counts import summarise
from mfa.errors import InputError
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, ReidDataset, Sample, Split

SPLITS = get_args(Split)
KINDS = ("people", "distractor", "junk")


def kind_of(pid: int) -> str:
    """``people``, ``distractor`` or ``junk``."""
    return {JUNK: "junk", DISTRACTOR: "distractor"}.get(pid, "people")


def select_images(
    data: ReidDataset,
    *,
    split: str = "all",
    kind: str = "all",
    pid: int | None = None,
    camera: int | None = None,
    names: Sequence[str] = (),
) -> list[ListedImage]:
    """The images that fit every condition, in the order of the lists.

    ``split`` is of ``SPLITS`` and ``kind`` of ``KINDS``, or ``all``; ``names`` are file names.
    """
    return [
        image
        for image in _all(data)
        if split in ("all", image.split)
        and kind in ("all", kind_of(image.pid))
        and pid in (None, image.pid)
        and camera in (None, image.camid)
        and (not names or image.name in names)
    ]


def count_images(data: ReidDataset) -> pd.DataFrame:
    """One row per list: pictures, people, distractors, junk, and pictures of each camera."""
    cameras = sorted({image.camid for image in _all(data)} - {NO_CAMERA})
    rows = {}
    for split in SPLITS:
        summary = summarise(split, getattr(data, split))
        camids = Counter(sample.camid for sample in getattr(data, split))
        rows[split] = {
            "pictures": summary.images,
            "people": summary.identities,
            "distractors": summary.distractors,
            "junk": summary.junk,
            **{f"cam {camid}": camids[camid] for camid in cameras},
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _all(data: ReidDataset) -> Iterator[ListedImage]:
    for split in SPLITS:
        yield from ImageList.of(data, cast(Split, split))


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
    """
    if not 0 <= query < len(dataset.query):
        raise InputError(
            f"no query {query} in {dataset.name}, which has {len(dataset.query)}, counted from 0"
        )
    wanted = dataset.query[query]
    roles = [_role(wanted, sample, camera_filter) for sample in dataset.gallery]
    return {
        role: tuple(s for s, own in zip(dataset.gallery, roles, strict=True) if own == role)
        for role in ROLES
    }


def _role(query: Sample, sample: Sample, camera_filter: bool) -> str:
    if sample.pid in (JUNK, DISTRACTOR):
        return kind_of(sample.pid)
    if sample.pid != query.pid:
        return "other person"
    own = sample.camid == query.camid != NO_CAMERA
    return "own camera" if own and camera_filter else "match"
