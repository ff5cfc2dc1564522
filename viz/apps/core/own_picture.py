"""A picture of the visitor's: checked, decoded once, and never written to a disk."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from mfa.errors import InputError
from mfa.records import NO_CAMERA

BYTES = 6_000_000
"""Largest file; the page sends far smaller ones."""

PIXELS = 20_000_000
"""Most pixels a file may claim: a few kilobytes can claim gigabytes."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP")


@dataclass(frozen=True, eq=False)
class OwnPicture:
    """A picture that is in no list, so that nobody says who it shows.

    Attributes:
        image: (H, W, 3) uint8, upright.
        name: of its file.
    """

    image: np.ndarray
    name: str

    pid = None
    camid = NO_CAMERA

    def pixels(self, height: int, width: int) -> np.ndarray:
        """The picture at a size, (height, width, 3) uint8; not to be written to."""
        whole = Image.fromarray(self.image)
        return np.asarray(whole.resize((width, height), Image.Resampling.BILINEAR))


def own_picture(content: bytes, name: str = "the file") -> OwnPicture:
    """The picture in a file's ``content``."""
    if len(content) > BYTES:
        raise InputError(
            f"{name} has {len(content) / 1e6:.1f} MB; up to {BYTES / 1e6:.0f} MB are taken",
            "make it smaller and choose it again",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we count ourselves
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > PIXELS or min(width, height) < 8:
                    raise InputError(
                        f"{name} is {width} x {height} pixels; pictures of 8 pixels a side up to "
                        f"{PIXELS // 1_000_000} million pixels are taken"
                    )
                picture.load()
                return OwnPicture(_flat(ImageOps.exif_transpose(picture)), name)
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} claims too many pixels", "make it smaller") from error
    except Exception as error:  # decoders fail with almost anything on damaged files
        raise InputError(
            f"{name} cannot be read as a picture", f"choose a {', '.join(FORMATS)} file"
        ) from error


def _flat(picture: Image.Image) -> np.ndarray:
    """RGB; what is transparent becomes white, so that hidden pixels stay hidden."""
    if "A" in picture.getbands() or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        picture = Image.alpha_composite(white, layer)
    return np.asarray(picture.convert("RGB"))
