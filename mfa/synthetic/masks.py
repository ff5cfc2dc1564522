"""Part masks beside the pictures, and what a pixel of one can be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mfa.errors import InputError

FOLDER = "masks"

PARTS: tuple[str, ...] = (
    "background",
    "head",
    "torso",
    "arms",
    "thighs",
    "shins",
    "bag",
    "occluder",
    "other",
)
"""Part names; a mask pixel is an index into this. ``other`` is another person."""

BACKGROUND, HEAD, TORSO, ARMS, THIGHS, SHINS, BAG, OCCLUDER, OTHER = range(len(PARTS))


def mask_path(image_path: Path) -> Path:
    """Where the part mask of a picture of the synthetic set lies."""
    split = image_path.parent
    return split.parent / FOLDER / split.name / f"{image_path.stem}.png"


def load_mask(image_path: Path, height: int, width: int) -> np.ndarray:
    """Part mask of a picture, (height, width) uint8 of indices into ``PARTS``, nearest pixel."""
    path = mask_path(image_path)
    if not path.is_file():
        raise InputError(
            f"{image_path} has no part mask (looked for {path})",
            "use the synthetic set, whose pictures have them",
        )
    with Image.open(path) as mask:
        return np.asarray(mask.resize((width, height), Image.Resampling.NEAREST))
