"""What a camera makes of a place: surroundings first, tint, blur and noise last."""

from __future__ import annotations

from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from mfa.synthetic.backdrop import PLACES, panorama
from mfa.synthetic.camera import Camera


def surroundings(cam: Camera, height: int, width: int, seed: int, rng: Random) -> Image.Image:
    """A canvas with one of the camera's places, at a stretch of its own."""
    place = rng.randrange(PLACES)
    scene = panorama(cam.scene, place, height, width, f"{seed}/scene/{cam.number}")
    left = rng.randrange(scene.width - width)
    view = scene.crop((left, 0, left + width, height))
    if rng.random() < 0.5:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return view.point(_weather(rng))


def _weather(rng: Random) -> list[int]:
    """Light on the surroundings, which changes more than that on the person before them.

    Three tables, one per channel. Without this the surroundings would serve as a grey card:
    dividing by their mean colour would undo the camera's tint.
    """
    bright = rng.gauss(1, 0.1)
    gains = (bright * rng.gauss(1, 0.035) for _ in range(3))
    return [min(255, int(value * gain)) for gain in gains for value in range(256)]


def expose(cam: Camera, image: Image.Image, rng: Random) -> Image.Image:
    """Tint, tone, blur and noise of a camera on a picture of the final size."""
    exposure = rng.gauss(1, 0.06)
    tinted = image.convert("RGB", _tint(cam, exposure)).point(_curve(cam))
    radius = cam.blur * image.height / 128 * rng.uniform(0.8, 1.4)
    soft = tinted.filter(ImageFilter.GaussianBlur(radius))
    pixels = np.asarray(soft, np.float32)
    noise = np.random.default_rng(rng.getrandbits(64))
    grain = noise.standard_normal((*pixels.shape[:2], 1), np.float32) * np.float32(cam.noise)
    spots = noise.standard_normal(pixels.shape, np.float32) * np.float32(0.4 * cam.noise)
    slope = rng.uniform(-0.12, 0.12)  # Light falls off across the picture.
    fall = np.linspace(1 - slope, 1 + slope, pixels.shape[1], dtype=np.float32)[:, None]
    return Image.fromarray(np.clip(pixels * fall + grain + spots, 0, 255).astype(np.uint8))


def _tint(cam: Camera, exposure: float) -> tuple[float, ...]:
    """Saturation, then gains, as the 3x4 matrix Pillow applies."""
    luma = (0.299, 0.587, 0.114)
    rows: list[float] = []
    for channel in range(3):
        gain = cam.gains[channel] * exposure
        for source in range(3):
            own = cam.saturation if source == channel else 0.0
            rows.append(gain * (own + (1 - cam.saturation) * luma[source]))
        rows.append(0.0)
    return tuple(rows)


@lru_cache(maxsize=64)
def _curve(cam: Camera) -> list[int]:
    """Gamma and haze as a table for the three channels."""
    tones = [
        round(255 * (value / 255) ** cam.gamma * (1 - cam.haze) + 195 * cam.haze)
        for value in range(256)
    ]
    return tones * 3
