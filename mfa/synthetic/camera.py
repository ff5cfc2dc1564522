"""Cameras: where they hang and what they do to light."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera.

    Attributes:
        number: counted from 1, as in file names.
        scene: kind of place, see ``backdrop.KINDS``.
        yaw: direction people mostly walk in, radians; 0 towards the camera.
        tilt, swell: how steeply it looks down, see ``figure.view.View``.
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
