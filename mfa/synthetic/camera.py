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


# Six cameras that differ in every respect; more than six are variations of these.
_STREET = Camera(  # Low evening sun, warm; people come towards it.
    number=1,
    scene="street",
    yaw=0.0,
    tilt=0.05,
    swell=0.08,
    size=0.93,
    light=0.6,
    gains=(1.14, 0.98, 0.78),
    saturation=0.9,
    gamma=1.0,
    haze=0.02,
    blur=0.45,
    noise=2.5,
    quality=(72, 90),
)
_HALL = Camera(  # Fluorescent tubes, greenish; from behind and high up.
    number=2,
    scene="hall",
    yaw=math.pi,
    tilt=0.2,
    swell=0.2,
    size=0.9,
    light=-0.15,
    gains=(0.97, 1.02, 0.82),
    saturation=0.8,
    gamma=1.15,
    haze=0.05,
    blur=0.7,
    noise=4.0,
    quality=(62, 82),
)
_PARK = Camera(  # Sun, crisp and saturated; people cross the picture.
    number=3,
    scene="park",
    yaw=math.pi / 2,
    tilt=0.02,
    swell=0.04,
    size=0.9,
    light=0.9,
    gains=(1.06, 1.06, 0.97),
    saturation=1.12,
    gamma=0.95,
    haze=0.0,
    blur=0.3,
    noise=2.0,
    quality=(80, 94),
)
_BRICK = Camera(  # An alley in the shade: dim, blurred, reddish.
    number=4,
    scene="brick",
    yaw=-math.pi / 2,
    tilt=0.1,
    swell=0.12,
    size=0.92,
    light=-0.7,
    gains=(0.94, 0.8, 0.78),
    saturation=0.8,
    gamma=1.05,
    haze=0.04,
    blur=0.8,
    noise=5.0,
    quality=(58, 80),
)
_PLAZA = Camera(  # Overexposed, pale and bluish; three-quarter view.
    number=5,
    scene="plaza",
    yaw=0.65,
    tilt=0.12,
    swell=0.14,
    size=0.9,
    light=0.3,
    gains=(0.98, 1.03, 1.14),
    saturation=0.68,
    gamma=0.9,
    haze=0.14,
    blur=0.55,
    noise=3.0,
    quality=(66, 86),
)
_CARPARK = Camera(  # Dusk, blue; from behind at an angle.
    number=6,
    scene="carpark",
    yaw=math.pi - 0.75,
    tilt=0.16,
    swell=0.16,
    size=0.91,
    light=-0.4,
    gains=(0.66, 0.78, 1.02),
    saturation=0.85,
    gamma=1.0,
    haze=0.03,
    blur=0.65,
    noise=4.5,
    quality=(64, 84),
)
_MODELS = (_STREET, _HALL, _PARK, _BRICK, _PLAZA, _CARPARK)


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
