"""A heat map laid over a picture: arrays in, array out, a fraction of a millisecond.

Strength decides opacity: where a map is zero the picture shows through unchanged, so that no
colour ever stands for "nothing here". The picture is greyed, since its own colours would
otherwise mix with the scale's.
"""

from __future__ import annotations

from functools import cache

import matplotlib as mpl
import numpy as np

from mfa.errors import InputError

OPACITY = 0.85
"""Of the strongest values; the picture stays visible under them."""


def overlay(
    image: np.ndarray, heat: np.ndarray, *, limit: float | None = None, grey: float = 0.8
) -> np.ndarray:
    """``image`` with ``heat`` over it, uint8 (H, W, 3): red argues for, blue against.

    Args:
        image: (H, W, 3), uint8 or floats in [0, 1].
        heat: (H, W).
        limit: the magnitude drawn at full strength; by default the map's own largest, which makes
            maps incomparable: give one limit to pictures that stand side by side.
        grey: how far the picture's own colours are taken out, 0 to 1.
    """
    if heat.shape != image.shape[:2]:
        raise InputError(f"a map of {heat.shape} does not fit a picture of {image.shape[:2]}")
    limit = float(np.abs(heat).max(initial=0)) if limit is None else limit
    # A map without anything to scale is zero everywhere.
    strength = np.clip(heat / np.float32(limit), -1, 1) if limit > 0 else np.zeros(heat.shape)
    return as_bytes(_tinted(greyed(image, grey), strength.astype(np.float32, copy=False)))


def scale_colours() -> np.ndarray:
    """(256, 3) in [0, 1]: what a map's values from the scale's low to its high end look like.

    Over middle grey, so that a colour bar shows the colours a picture shows.
    """
    grey = np.full((256, 3), 150, dtype=np.float32)
    return _tinted(grey, np.linspace(-1, 1, 256, dtype=np.float32)) / 255


def _tinted(picture: np.ndarray, strength: np.ndarray) -> np.ndarray:
    amount = np.abs(strength)
    # The pale middle of the diverging colours is left out: opacity already says "little".
    place = (np.sign(strength) * (0.4 + 0.6 * amount) + 1) / 2
    opacity = OPACITY * amount[..., None] ** np.float32(0.7)
    colour = _colours()[np.rint(place * 255).astype(np.intp)]
    mixed: np.ndarray = (1 - opacity) * picture + opacity * colour
    return mixed


def greyed(image: np.ndarray, amount: float) -> np.ndarray:
    """The picture in floats 0 to 255 with ``amount`` of its colour taken out."""
    picture = as_bytes(image).astype(np.float32)
    light = picture @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    mixed: np.ndarray = (1 - amount) * picture + amount * light[..., None]
    return mixed


def as_bytes(image: np.ndarray) -> np.ndarray:
    """Any picture array as uint8; floats up to 1 are taken as [0, 1]."""
    if image.dtype == np.uint8:
        return image
    top = 255.0 if image.max(initial=0) <= 1 else 1.0
    rounded: np.ndarray = np.clip(np.rint(image * top), 0, 255).astype(np.uint8)
    return rounded


@cache
def _colours() -> np.ndarray:
    """(256, 3) floats 0 to 255, told apart with every common colour blindness."""
    table: np.ndarray = mpl.colormaps["RdBu_r"](np.arange(256))[:, :3].astype(np.float32) * 255
    return table
