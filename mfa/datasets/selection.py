"""Choose images of a dataset by list, identity, camera and name, and count them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast, get_args

import pandas as pd

from mfa.datasets.image_list import ImageList, ListedImage
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, ReidDataset, Split

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

    Args:
        data: the dataset.
        split: ``train``, ``query``, ``gallery`` or ``all``.
        kind: of ``KINDS``, or ``all``.
        pid: one identity; ``None`` for all.
        camera: one camera; ``None`` for all.
        names: file names; empty for all.
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
    table = pd.DataFrame(
        [(image.split, image.pid, image.camid) for image in _all(data)],
        columns=["split", "pid", "camid"],
    )
    kinds = table["pid"].map(kind_of)
    rows = {}
    for split in SPLITS:
        here = table["split"] == split
        own = table[here]
        rows[split] = {
            "pictures": len(own),
            "people": own["pid"][kinds[here] == "people"].nunique(),
            "distractors": int((kinds[here] == "distractor").sum()),
            "junk": int((kinds[here] == "junk").sum()),
            **{
                f"cam {camid}": int((own["camid"] == camid).sum())
                for camid in sorted({*table["camid"]} - {NO_CAMERA})
            },
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _all(data: ReidDataset) -> Iterator[ListedImage]:
    for split in SPLITS:
        yield from ImageList.of(data, cast(Split, split))
