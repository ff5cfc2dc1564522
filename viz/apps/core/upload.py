"""Pictures a visitor sends: checked before they are decoded, and never written to a disk."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

from mfa.errors import InputError

BYTES = 6_000_000
"""Largest file."""

PIXELS = 20_000_000
"""Most pixels a file may claim: a few kilobytes can claim gigabytes."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP")


def check_bytes(size: int, name: str) -> None:
    """Refuse a file by its size alone.

    Raises:
        InputError: it has more than ``BYTES``.
    """
    if size > BYTES:
        raise InputError(
            f"{name} has {size / 1e6:.1f} MB; pictures up to {BYTES / 1e6:.0f} MB are "
            "taken: make it smaller and choose it again"
        )


def decode_upload(content: bytes, name: str = "the file") -> np.ndarray:
    """The picture in ``content`` as RGB, (H, W, 3) uint8, upright.

    Raises:
        InputError: too large a file, not one of ``FORMATS``, too many pixels, or damaged.
    """
    check_bytes(len(content), name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > PIXELS or min(width, height) < 8:
                    raise InputError(
                        f"{name} is {width} x {height} pixels; between 8 pixels a side and "
                        f"{PIXELS // 1_000_000} million pixels are taken"
                    )
                picture.load()
                upright = ImageOps.exif_transpose(picture)
                return np.asarray(upright.convert("RGB"))
    except InputError:
        raise
    except Exception as error:  # decoders fail with almost anything on damaged files
        raise InputError(
            f"{name} cannot be read as a picture; {', '.join(FORMATS)} files are taken"
        ) from error


def uploaded(content: bytes, size: tuple[int, int]) -> np.ndarray:
    """A visitor's picture at (height, width), (H, W, 3) uint8.

    Raises:
        InputError: see ``decode_upload``.
    """
    picture = Image.fromarray(decode_upload(content))
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BILINEAR))
