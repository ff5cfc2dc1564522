"""What stands behind people: six kinds of place, several places a camera, wider than a picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from mfa.synthetic.canvas import steps
from mfa.synthetic.palette import Colour, jitter, tone

SPAN = 4
"""Width of a panorama in canvas widths."""

PLACES = 4
"""Places each camera is turned to in the course of the recording."""


class Site:
    """A panorama in the making: sizes in canvas heights, so that every output size agrees.

    Attributes:
        wide: width of the panorama over its height.
        horizon: height at which the ground begins, share of the height from the top.
    """

    def __init__(self, rng: Random, image: Image.Image, horizon: float) -> None:
        self.rng, self.image, self.horizon = rng, image, horizon
        self.draw = ImageDraw.Draw(image)
        self.unit = image.height
        self.wide = image.width / image.height

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """A filled rectangle."""
        u = self.unit
        self.draw.rectangle((x0 * u, y0 * u, max(x1, x0) * u, max(y1, y0) * u), fill=colour)

    def line(self, x0: float, y0: float, x1: float, y1: float, wide: float, c: Colour) -> None:
        """A straight line ``wide`` canvas heights thick."""
        u = self.unit
        self.draw.line((x0 * u, y0 * u, x1 * u, y1 * u), fill=c, width=max(1, round(wide * u)))

    def disc(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """A filled ellipse."""
        u = self.unit
        self.draw.ellipse(((x - rx) * u, (y - ry) * u, (x + rx) * u, (y + ry) * u), fill=colour)

    def ground(self, colour: Colour, light: float = 1.25) -> None:
        """Floor from the horizon down, lighter towards the camera."""
        for k in range(14):
            y = self.horizon + (1 - self.horizon) * k / 14
            self.box(0, y, self.wide, 1, tone(colour, 0.86 + (light - 0.86) * k / 14))

    def wall(self, colour: Colour) -> None:
        """Wall or sky from the top to the horizon, darker towards the ground."""
        for k in range(8):
            y = self.horizon * k / 8
            self.box(0, y, self.wide, self.horizon, tone(colour, 1.06 - 0.03 * k))

    def every(self, low: float, high: float, start: float = 0.0) -> list[float]:
        """Places along the width, ``low`` to ``high`` apart."""
        places = []
        while start < self.wide:
            places.append(start)
            start += self.rng.uniform(low, high)
        return places

    def converging(self, step: float, colour: Colour, wide: float = 0.004) -> None:
        """Joints of a floor running towards the horizon."""
        middle = self.wide / 2
        for x in steps(middle - 3 * self.wide, middle + 3 * self.wide, step):
            self.line(middle + (x - middle) * 0.3, self.horizon, x, 1, wide, colour)

    def rows(self, step: float, growth: float, colour: Colour) -> None:
        """Joints of a floor parallel to the horizon, wider apart towards the camera."""
        y = self.horizon
        while y < 1:
            self.line(0, y, self.wide, y, 0.004, colour)
            y += step
            step *= growth


def _street(site: Site) -> None:
    """Shop fronts over a pavement."""
    rng = site.rng
    wall = jitter(rng, rng.choice(((186, 168, 140), (150, 116, 96), (196, 190, 176))), 8)
    site.wall(wall)
    for x in site.every(0.34, 0.5):
        glass = tone(wall, rng.uniform(0.32, 0.5))
        site.box(x, 0.04, x + 0.26, site.horizon - 0.03, tone(wall, 1.12))
        site.box(x + 0.015, 0.06, x + 0.245, site.horizon - 0.05, glass)
        site.line(x + 0.05, site.horizon - 0.08, x + 0.16, 0.09, 0.03, tone(glass, 1.35))
        awning = jitter(rng, rng.choice(((150, 50, 46), (52, 90, 70), (60, 70, 120))), 10)
        site.box(x - 0.02, 0.03, x + 0.28, 0.03 + rng.uniform(0.02, 0.06), awning)
    site.ground((150, 146, 140))
    site.rows(0.05, 1.5, (128, 124, 118))
    site.box(0, 0.86, site.wide, 0.885, (176, 172, 164))
    site.box(0, 0.885, site.wide, 1, (92, 92, 96))


def _park(site: Site) -> None:
    """Trees and lawn beside a path."""
    rng = site.rng
    site.wall((176, 190, 196))
    green: Colour = (72, 104, 58)
    for _ in range(int(26 * site.wide)):
        x, y = rng.uniform(0, site.wide), rng.uniform(-0.05, site.horizon)
        size = rng.uniform(0.03, 0.1)
        site.disc(x, y, size * 1.1, size, tone(green, rng.uniform(0.6, 1.25)))
    for x in site.every(0.2, 0.6, 0.1):
        trunk = jitter(rng, (84, 66, 50), 6)
        site.box(x, site.horizon * 0.4, x + rng.uniform(0.015, 0.035), site.horizon + 0.03, trunk)
    site.ground((108, 132, 74), 1.15)
    edge = rng.uniform(0.62, 0.75)
    path = jitter(rng, (178, 160, 128), 6)
    u, right, slope = site.unit, site.wide * site.unit, rng.uniform(-0.1, 0.1)
    site.draw.polygon([(0, edge * u), (right, (edge + slope) * u), (right, u), (0, u)], fill=path)


def _brick(site: Site) -> None:
    """A brick wall along a tiled pavement."""
    rng = site.rng
    brick = jitter(rng, rng.choice(((146, 84, 66), (166, 108, 78), (120, 76, 70))), 6)
    site.wall(brick)
    row, joint = 0.03, tone(brick, 1.28)
    for k in range(int(site.horizon / row) + 1):
        site.line(0, k * row, site.wide, k * row, 0.004, joint)
        for x in steps((k % 2) * 0.035, site.wide, 0.07):
            site.line(x, k * row, x, (k + 1) * row, 0.004, joint)
    for x in site.every(0.5, 1.0, rng.uniform(0, 0.4)):
        door = jitter(rng, rng.choice(((70, 84, 78), (92, 70, 54), (60, 62, 72))), 8)
        site.box(x, 0.06, x + 0.2, site.horizon, tone(door, 0.7))
        site.box(x + 0.015, 0.075, x + 0.185, site.horizon, door)
    site.ground((124, 116, 110))
    site.converging(0.16, (100, 94, 90))
    site.rows(0.03, 1.35, (100, 94, 90))


def _plaza(site: Site) -> None:
    """Pale paving in front of distant buildings."""
    rng = site.rng
    site.wall((206, 212, 218))
    for x in site.every(0.16, 0.34):
        high = rng.uniform(0.1, site.horizon * 0.8)
        block = jitter(rng, (160, 162, 168), 14)
        width = rng.uniform(0.15, 0.33)
        site.box(x, site.horizon - high, x + width, site.horizon, block)
        for y in steps(site.horizon - high + 0.02, site.horizon - 0.02, 0.035):
            site.line(x + 0.015, y, x + width - 0.015, y, 0.01, tone(block, 0.72))
    site.ground((196, 192, 182), 1.12)
    site.converging(0.22, (168, 164, 156))
    site.rows(0.025, 1.5, (168, 164, 156))
    for x in site.every(0.6, 1.3, 0.2):
        site.box(x, site.horizon - 0.01, x + 0.16, site.horizon + 0.05, (140, 134, 126))
        site.disc(x + 0.08, site.horizon - 0.03, 0.09, 0.04, (84, 110, 70))


def _hall(site: Site) -> None:
    """An indoor passage with pillars, doors and a polished floor."""
    rng = site.rng
    wall = jitter(rng, (186, 188, 178), 6)
    site.wall(wall)
    site.box(0, 0, site.wide, 0.05, tone(wall, 1.2))
    for x in site.every(0.3, 0.42):
        site.box(x, 0.02, x + 0.1, 0.035, (236, 244, 232))
    for x in site.every(0.45, 0.8, 0.15):
        door = jitter(rng, rng.choice(((120, 132, 122), (96, 120, 132), (140, 116, 88))), 8)
        site.box(x, 0.1, x + 0.19, site.horizon, door)
        site.box(x + 0.11, 0.15, x + 0.16, 0.24, tone(door, 0.6))
    site.ground((150, 148, 140), 1.18)
    for x in site.every(0.3, 0.42):
        site.box(x, site.horizon, x + 0.1, 1, (178, 178, 168))
    site.converging(0.3, (126, 126, 120))
    for x in site.every(0.7, 1.1, rng.uniform(0, 0.5)):
        site.box(x, 0, x + 0.075, site.horizon + 0.1, tone(wall, 0.62))
        site.box(x, 0, x + 0.022, site.horizon + 0.1, tone(wall, 1.05))


def _carpark(site: Site) -> None:
    """Dark asphalt with bays, parked cars and a hedge."""
    rng = site.rng
    site.wall((134, 140, 152))
    for x in site.every(0.03, 0.06):
        size = rng.uniform(0.03, 0.06)
        site.disc(x, site.horizon - 0.05, size, 0.06, tone((58, 74, 54), rng.uniform(0.7, 1.2)))
    site.ground((88, 88, 94), 1.2)
    for x in site.every(0.42, 0.6, 0.05):
        colours = ((150, 40, 40), (190, 192, 196), (50, 62, 96), (40, 42, 46))
        car, y = jitter(rng, rng.choice(colours), 8), site.horizon
        site.box(x + 0.06, y - 0.11, x + 0.28, y - 0.03, tone(car, 0.55))
        site.box(x, y - 0.055, x + 0.36, y + 0.03, car)
        for wheel in (x + 0.07, x + 0.29):
            site.disc(wheel, y + 0.03, 0.034, 0.034, (26, 26, 28))
    site.converging(0.55, (196, 194, 180), 0.012)


KINDS: dict[str, tuple[Callable[[Site], None], tuple[float, float]]] = {
    "street": (_street, (0.42, 0.55)),
    "hall": (_hall, (0.34, 0.46)),
    "park": (_park, (0.36, 0.5)),
    "brick": (_brick, (0.3, 0.5)),
    "plaza": (_plaza, (0.2, 0.32)),
    "carpark": (_carpark, (0.22, 0.34)),
}
"""How to draw a kind of place, and where its horizon may lie."""


@lru_cache(maxsize=64)
def panorama(kind: str, place: int, height: int, width: int, key: str) -> Image.Image:
    """The surroundings a camera sees at ``place``, ``SPAN`` canvases wide, slightly blurred."""
    paint, (low, high) = KINDS[kind]
    rng = Random(f"{key}/{place}")
    image = Image.new("RGB", (width * SPAN, height))
    site = Site(rng, image, rng.uniform(low, high))
    paint(site)
    _furniture(site)
    return _mottled(image.filter(ImageFilter.GaussianBlur(height / 190)), rng)


def _furniture(site: Site) -> None:
    """Lamp posts, signs and litter bins, where the place has room."""
    rng = site.rng
    for x in site.every(0.5, 1.2, rng.uniform(0, 0.8)):
        grey = jitter(rng, (70, 74, 76), 10)
        foot = site.horizon + rng.uniform(0.03, 0.16)
        roll = rng.random()
        if roll < 0.45:
            site.box(x, -0.01, x + 0.014, foot, grey)
        elif roll < 0.7:
            sign = rng.choice(((186, 60, 50), (60, 90, 170)))
            site.box(x, foot - 0.3, x + 0.01, foot, grey)
            site.disc(x + 0.005, foot - 0.3, 0.035, 0.035, sign)
        else:
            site.box(x, foot - 0.13, x + 0.075, foot, tone(grey, 1.2))
            site.box(x - 0.004, foot - 0.14, x + 0.079, foot - 0.12, tone(grey, 0.7))


def _mottled(image: Image.Image, rng: Random) -> Image.Image:
    """Stains and patches of light, so that no surface is flat."""
    noise = np.random.default_rng(rng.getrandbits(32))
    factor = np.ones((image.height, image.width), np.float32)
    for cells, strength in ((4, 0.045), (40, 0.022)):
        shape = (cells, cells * image.width // image.height)
        coarse = Image.fromarray(noise.standard_normal(shape, np.float32))
        factor += strength * np.asarray(coarse.resize(image.size, Image.Resampling.BICUBIC))
    pixels = np.asarray(image, np.float32) * factor[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
