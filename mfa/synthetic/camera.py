"""Cameras: where they hang, what they see behind people, and what they do to light."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from mfa.synthetic.backdrop import PLACES, panorama


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera.

    Attributes:
        number: counted from 1, as in file names.
        scene: kind of place, see ``backdrop.KINDS``.
        yaw: direction people mostly walk in, radians; 0 towards the camera.
        tilt, swell: how steeply it looks down, see ``figure.View``.
        size: height of a person in a well placed box, share of its height.
        light: -1 lit from the left to 1 from the right; near 0 an overcast sky.
        gains: factors of red, green and blue: the tint, and the exposure.
        saturation: 0 grey to 1 as painted.
        gamma: over 1 darkens the middle tones.
        haze: share of pale grey in every pixel.
        blur: Gaussian radius in pixels at a height of 128.
        noise: standard deviation of sensor noise, grey levels.
        quality: range of JPEG quality.
    """

    number: int
    scene: str
    yaw: float
    tilt: float
    swell: float
    size: float
    light: float
    gains: tuple[float, float, float]
    saturation: float
    gamma: float
    haze: float
    blur: float
    noise: float
    quality: tuple[int, int]


# Six cameras that differ in every respect; more than six are variations of these. The columns are
# the attributes in their order: number to gains in one line, saturation to quality in the next.
_MODELS = (
    # Low evening sun, warm; people come towards it.
    Camera(1, "street", 0.0, 0.05, 0.08, 0.93, 0.6, (1.14, 0.98, 0.78),
           0.9, 1.0, 0.02, 0.45, 2.5, (72, 90)),
    # Fluorescent tubes, greenish; from behind and high up.
    Camera(2, "hall", math.pi, 0.2, 0.2, 0.9, -0.15, (0.97, 1.02, 0.82),
           0.8, 1.15, 0.05, 0.7, 4.0, (62, 82)),
    # Sun, crisp and saturated; people cross the picture.
    Camera(3, "park", math.pi / 2, 0.02, 0.04, 0.9, 0.9, (1.06, 1.06, 0.97),
           1.12, 0.95, 0.0, 0.3, 2.0, (80, 94)),
    # An alley in the shade: dim, blurred, reddish.
    Camera(4, "brick", -math.pi / 2, 0.1, 0.12, 0.92, -0.7, (0.94, 0.8, 0.78),
           0.8, 1.05, 0.04, 0.8, 5.0, (58, 80)),
    # Overexposed, pale and bluish; three-quarter view.
    Camera(5, "plaza", 0.65, 0.12, 0.14, 0.9, 0.3, (0.98, 1.03, 1.14),
           0.68, 0.9, 0.14, 0.55, 3.0, (66, 86)),
    # Dusk, blue; from behind at an angle.
    Camera(6, "carpark", math.pi - 0.75, 0.16, 0.16, 0.91, -0.4, (0.66, 0.78, 1.02),
           0.85, 1.0, 0.03, 0.65, 4.5, (64, 84)),
)  # fmt: skip


@lru_cache(maxsize=64)
def camera(number: int, seed: int) -> Camera:
    """Camera ``number`` (from 1) of the set with this seed: a model, varied a little."""
    model = _MODELS[(number - 1) % len(_MODELS)]
    rng = Random(f"{seed}/camera/{number}")
    vary = 0.05 if number <= len(_MODELS) else 0.14
    red, green, blue = (gain * rng.gauss(1, vary * 0.6) for gain in model.gains)
    return replace(
        model,
        number=number,
        yaw=model.yaw + rng.gauss(0, 2.5 * vary),
        tilt=model.tilt * rng.uniform(1 - 2 * vary, 1 + 2 * vary),
        swell=model.swell * rng.uniform(1 - 2 * vary, 1 + 2 * vary),
        gains=(red, green, blue),
        saturation=model.saturation * rng.gauss(1, vary),
        gamma=model.gamma * rng.gauss(1, vary * 0.6),
        blur=model.blur * rng.uniform(1 - 2 * vary, 1 + 2 * vary),
    )


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
