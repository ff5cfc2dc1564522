"""One file to one array of the size wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mfa.datasets.loading.images import read_image
from mfa.errors import InputError


def decode(path: Path, height: int, width: int) -> np.ndarray:
    """The picture as (3, height, width) uint8, resized bilinearly with antialiasing.

    JPEG's own reduced decoding (draft mode) is not used: it would make the result depend on the
    size of the original.

    Raises:
        InputError: the file cannot be read.
    """
    picture = read_image(path)
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1))


def first_error(path: Path) -> str:
    """Why the file cannot be read; empty where it can."""
    try:
        read_image(path)
    except InputError as error:
        return str(error)
    return ""
