"""Dataset pictures as they are drawn: upright, RGB, inside a box, read once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from mfa.datasets.loading.decode import file_version, read_image
from mfa.errors import InputError

PAPER = (255, 255, 255)


def load(path: Path, size: tuple[int, int], blur_faces: bool = False) -> Image.Image:
    """The picture scaled into ``size`` (width, height) with its proportions kept, on white.

    A file that cannot be read gives a grey crossed-out box: a grid goes on around a broken
    picture, and shows that it is broken. Do not draw on what this returns; it is kept.

    Args:
        path: picture file.
        size: box in pixels.
        blur_faces: coarsen the top, see ``blur_top``, for pictures that leave the house.
    """
    return _load(path, size, blur_faces, file_version(path))


@lru_cache(maxsize=4096)
def _load(
    path: Path, size: tuple[int, int], blur_faces: bool, version: tuple[int, int]
) -> Image.Image:
    """``version`` makes a changed file another key."""
    try:
        picture = read_image(path)
    except InputError:
        return _broken(size)
    if blur_faces:
        picture = blur_top(picture)
    fitted = ImageOps.contain(picture, size, Image.Resampling.BICUBIC)
    if fitted.size == size:
        return fitted
    box = Image.new("RGB", size, PAPER)
    box.paste(fitted, ((size[0] - fitted.width) // 2, (size[1] - fitted.height) // 2))
    return box


def fade(picture: Image.Image) -> Image.Image:
    """Grey and pale: a picture that was not counted."""
    grey = ImageOps.grayscale(picture).convert("RGB")
    return Image.blend(grey, Image.new("RGB", picture.size, PAPER), 0.55)


def blur_top(picture: Image.Image) -> Image.Image:
    """A copy whose top, where a head is, is reduced to blocks a sixth of the width wide.

    No face is looked for: one that lies lower stays as it is.
    """
    # A whole person's head is in the top fifth. A squat box is a crop, in which it is larger.
    head = max(0.2 * picture.height, 0.6 * picture.width, 1)
    height = round(min(head, picture.height))
    top = picture.crop((0, 0, picture.width, height))
    rows = max(1, round(6 * height / picture.width))
    blocks = top.resize((6, rows), Image.Resampling.BOX).resize(top.size, Image.Resampling.NEAREST)
    copy = picture.copy()
    copy.paste(blocks, (0, 0))
    return copy


def blurred(images: np.ndarray) -> np.ndarray:
    """``blur_top`` of each of (N, 3, H, W) uint8: in what is drawn, not in what is explained."""
    pictures = [Image.fromarray(image.transpose(1, 2, 0)) for image in images]
    return np.stack([np.asarray(blur_top(p)).transpose(2, 0, 1) for p in pictures])


def _broken(size: tuple[int, int]) -> Image.Image:
    box = Image.new("RGB", size, (225, 225, 225))
    pen = ImageDraw.Draw(box)
    right, bottom = size[0] - 1, size[1] - 1
    pen.line((0, 0, right, bottom), fill=(150, 150, 150), width=2)
    pen.line((0, bottom, right, 0), fill=(150, 150, 150), width=2)
    return box
