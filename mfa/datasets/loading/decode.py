"""One picture from a file to 8-bit RGB, or to an array of a wanted size, whatever the file holds.

Formats the field's folders contain by accident (greyscale, CMYK, 16-bit, palettes, alpha, rotation
noted in EXIF) are converted; what cannot be read is refused with a sentence, never half decoded.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mfa.datasets.loading.jpeg import plain_pixels
from mfa.errors import InputError

MAX_PIXELS = 2**25
"""Pixels of a picture, at most: a damaged header must not ask for memory without end."""

_WIDE_INTEGER = ("I", "I;16", "I;16L", "I;16B", "I;16N")


def read_image(path: str | os.PathLike[str]) -> Image.Image:
    """Decode ``path`` completely into an upright RGB picture.

    16-bit greyscale keeps its upper byte; transparent pixels are laid over white; EXIF rotation is
    applied.

    Raises:
        InputError: no such file, zero bytes, cut short, or not a picture; names the file, the
            reason and what to do.
    """
    plain = plain_pixels(Path(path), MAX_PIXELS)
    return _by_pillow(Path(path)) if plain is None else Image.fromarray(plain)


def _by_pillow(file: Path) -> Image.Image:
    try:
        if file.stat().st_size == 0:
            raise InputError(f"{file} is empty (0 bytes)", "copy it again, or remove it")
        with Image.open(file) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise InputError(
                    f"{file} claims to be {opened.width} x {opened.height} pixels, far too large "
                    "to be a person",
                    "remove it",
                )
            opened.load()
            return _to_rgb(ImageOps.exif_transpose(opened))
    except InputError:
        raise
    except Exception as error:
        # Decoders meet broken files with almost any exception (SyntaxError from PNG, struct.error
        # from EXIF, ...), all of which say the same thing of the file.
        raise _problem(file, error) from error


def decode(path: Path, height: int, width: int) -> np.ndarray:
    """The picture as (3, height, width) uint8, resized bilinearly with antialiasing.

    JPEG's own reduced decoding (draft mode) is not used: it would make the result depend on the
    size of the original.

    Raises:
        InputError: the file cannot be read.
    """
    pixels = plain_pixels(path, MAX_PIXELS)
    if pixels is None or pixels.shape[:2] != (height, width):
        image = _by_pillow(path) if pixels is None else Image.fromarray(pixels)
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        pixels = np.asarray(image)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def first_error(path: Path) -> str:
    """Why the file cannot be read; empty where it can."""
    try:
        read_image(path)
    except InputError as error:
        return str(error)
    return ""


def file_version(path: Path) -> tuple[int, int]:
    """Modification time in ns and size, which caches in memory add to their keys.

    (0, 0) where there is no file to look at.
    """
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode in _WIDE_INTEGER:
        integers = np.asarray(image).astype(np.int64)
        # Values that fit 8 bits already stay as they are.
        return _grey(integers >> 8 if integers.max(initial=0) > 255 else integers)
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        # Float pictures come scaled to 1 or to 255; nothing in the file says which.
        return _grey(values * (255 if values.max(initial=0) <= 1 else 1))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).convert("RGB")


def _problem(file: Path, error: Exception) -> InputError:
    """What is wrong with ``file``, and what to do."""
    what, fix = f"is damaged ({error})", "copy it again, or remove it"
    if isinstance(error, FileNotFoundError):
        what, fix = "does not exist", "copy it again, or list the folder anew"
    elif isinstance(error, IsADirectoryError):
        what, fix = "is a folder, not a picture", "name a file"
    elif isinstance(error, PermissionError):
        what, fix = "may not be read by this user", "change its permissions (chmod u+r)"
    elif isinstance(error, OSError) and error.errno == errno.ELOOP:
        what, fix = "is a link that leads back to itself", "remove it"
    elif isinstance(error, UnidentifiedImageError):
        what = f"is not a picture ({_first_bytes(file)})"
    elif isinstance(error, Image.DecompressionBombError):
        what, fix = f"claims to be far too large to be a person ({error})", "remove it"
    elif "truncated" in str(error).lower() or isinstance(error, EOFError):
        what = "is cut short (truncated)"
    return InputError(f"{file} {what}", fix)


def _first_bytes(file: Path) -> str:
    with file.open("rb") as stream:
        head = stream.read(64)
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return "a web page saved under a picture's name"
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer: git lfs pull fetches the real file"
    return f"it starts with {head[:8]!r}"
