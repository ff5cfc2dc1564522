"""Part masks of a dataset's query pictures: drawn with the synthetic sets, found in photographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mfa.errors import InputError
from mfa.records import ListPosition, ReidDataset
from mfa.segmentation import read_masks
from mfa.synthetic import load_mask
from mfa.synthetic.masks import mask_path


@dataclass(frozen=True, eq=False)
class PartMasks:
    """Masks of some query pictures.

    Attributes:
        parts: (N, H, W) uint8, indices into ``mfa.synthetic.PARTS``.
        trusted: (N,) whether a mask may be measured with; always so for drawn people.
        source: where the masks come from, for cards.
    """

    parts: np.ndarray
    trusted: np.ndarray
    source: str


def part_masks(
    data: ReidDataset, positions: Sequence[ListPosition], height: int, width: int
) -> PartMasks:
    """The masks of the query pictures at ``positions``, of that size.

    ``data`` is a synthetic set, or any dataset that ``mfa data masks`` has been run on.

    Raises:
        InputError: the dataset has no masks; the message names the command that makes them.
    """
    drawn = [data.query[position].path for position in positions]
    if drawn and mask_path(drawn[0]).is_file():
        parts = np.stack([load_mask(path, height, width) for path in drawn])
        return PartMasks(parts, np.ones(len(drawn), bool), "drawn with the pictures")
    masks = read_masks(data)
    trusted = masks.trusted[np.asarray(positions, int)]
    if not trusted.any():
        raise InputError(
            f"none of the {len(trusted)} masks of {data.name} is trusted",
            "the pictures may show no single upright person; look at some of them",
        )
    return PartMasks(
        masks.resized(positions, height, width),
        trusted,
        f"found by pose_landmark_lite; {trusted.sum():,} of {len(trusted):,} trusted",
    )
