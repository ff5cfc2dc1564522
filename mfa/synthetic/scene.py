"""One picture: a camera, a place, a person, and perhaps something that went wrong."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from mfa.errors import InputError
from mfa.synthetic.camera import Camera, expose, surroundings
from mfa.synthetic.camera import camera as camera_of
from mfa.synthetic.canvas import Canvas
from mfa.synthetic.config import SyntheticConfig
from mfa.synthetic.figure import View, draw_person
from mfa.synthetic.identity import Identity, identity
from mfa.synthetic.masks import OTHER
from mfa.synthetic.occluder import draw_occluder

Nuisance = Literal["none", "misaligned", "small", "occluded", "behind", "truncated", "junk"]

NUISANCES: tuple[Nuisance, ...] = ("misaligned", "small", "occluded", "behind", "truncated")
"""The faults of ``SyntheticConfig.nuisance``, equally likely."""

STRANGERS = 4000
"""People who walk behind others; their number only bounds the memory they take."""

Fact = str | int | float

Box = tuple[float, float, float]
"""Where a person stands: size and top in heights of the picture, the centre in widths."""


@dataclass(frozen=True)
class Rendering:
    """A picture as it comes out of the camera, and the truth about it.

    Attributes:
        image: (H, W, 3) uint8, after JPEG, equal to what a reader of the file sees.
        mask: (H, W) uint8, index into ``PARTS``.
        facts: ``pid``, ``camera``, ``repeat``, ``nuisance``, ``yaw`` (radians; 0 faces the
            camera), ``head`` and ``feet`` (rows of crown and soles as shares of the height, may
            lie outside 0 to 1), and ``occluder`` where there is one.
    """

    image: np.ndarray
    mask: np.ndarray
    facts: dict[str, Fact]


@dataclass(frozen=True)
class Shot:
    """A picture before it is compressed: what is written to disk is made of this."""

    image: Image.Image
    mask: Image.Image
    quality: int
    facts: dict[str, Fact]

    def jpeg(self) -> bytes:
        """The compressed picture."""
        buffer = io.BytesIO()
        self.image.save(buffer, "JPEG", quality=self.quality)
        return buffer.getvalue()


def render(pid: int, camera: int, repeat: int, config: SyntheticConfig) -> Rendering:
    """Picture ``repeat`` of person ``pid`` from ``camera`` (from 1, as in file names)."""
    shot = shoot(pid, camera, repeat, config)
    with Image.open(io.BytesIO(shot.jpeg())) as opened:
        image = np.asarray(opened.convert("RGB"))
    return Rendering(image, np.asarray(shot.mask), shot.facts)


def shoot(
    pid: int,
    number: int,
    repeat: int,
    config: SyntheticConfig,
    nuisance: Nuisance | None = None,
    person: Identity | None = None,
) -> Shot:
    """As ``render``, before compression.

    ``nuisance`` chooses the fault instead of chance; ``person`` stands where ``pid`` would stand.
    """
    if not 1 <= number <= config.cameras:
        raise InputError(f"there are cameras 1 to {config.cameras}, got {number}")
    rng = Random(f"{config.seed}/picture/{pid}/{number}/{repeat}")
    roll, drawn = rng.random(), rng.choice(NUISANCES)
    fault = nuisance or (drawn if roll < config.nuisance else "none")
    cam = camera_of(number, config.seed)
    fine = max(2, round(384 / config.height))
    height, width = config.height * fine, config.width * fine
    parts = Image.new("L", (width, height))
    canvas = Canvas(surroundings(cam, height, width, config.seed, rng), parts)
    person = person or identity(pid, config.groups, config.seed)
    facts = _stage(canvas, cam, person, fault, config, rng)
    image = expose(cam, canvas.image.reduce(fine), rng)
    mask = parts.resize((config.width, config.height), Image.Resampling.NEAREST)
    facts |= {"pid": pid, "camera": number, "repeat": repeat, "nuisance": fault}
    return Shot(image, mask, rng.randint(*cam.quality), facts)


def _stage(
    canvas: Canvas,
    cam: Camera,
    person: Identity,
    fault: Nuisance,
    config: SyntheticConfig,
    rng: Random,
) -> dict[str, Fact]:
    """Paint people and things; returns what the picture shows."""
    yaw = cam.yaw + rng.gauss(0, 0.3) + (math.pi if rng.random() < 0.15 else 0.0)
    full, top, centre = _frame(cam, fault, rng)
    size = full * person.body.height
    head = top + full - size
    if fault == "behind":  # One or two people further back, partly hidden by the person.
        crowd = Canvas(canvas.image, canvas.parts, only=OTHER)
        side = rng.choice((-1, 1))
        for _ in range(1 if rng.random() < 0.65 else 2):
            stranger = identity(1_000_000 + rng.randrange(STRANGERS), config.groups, config.seed)
            small = full * rng.uniform(0.72, 0.95)
            feet = top + full - rng.uniform(0.0, 0.06)
            aside = centre + side * rng.uniform(0.22, 0.4)
            turn = rng.uniform(-3.14, 3.14)
            _draw(crowd, cam, stranger, turn, (small, feet - small, aside), rng)
            side = -side
    _draw(canvas, cam, person, yaw, (size, head, centre), rng)
    facts: dict[str, Fact] = {
        "yaw": round(math.remainder(yaw, 2 * math.pi), 4),
        "head": round(head, 4),
        "feet": round(head + size, 4),
    }
    if fault == "occluded":
        facts["occluder"] = draw_occluder(canvas, rng, head + size * rng.uniform(0.5, 0.72))
    return facts


def _frame(cam: Camera, fault: Nuisance, rng: Random) -> Box:
    """Where somebody of average height stands."""
    size = cam.size * rng.uniform(0.96, 1.03)
    top, centre = (1 - size) * rng.uniform(0.3, 0.7), 0.5 + rng.gauss(0, 0.035)
    if fault == "misaligned":
        centre += rng.choice((-1, 1)) * rng.uniform(0.17, 0.34)
        top += rng.uniform(-0.07, 0.07)
    elif fault == "small":
        size *= rng.uniform(0.64, 0.78)
        top = rng.uniform(0.1, 0.9) * (1 - size)
    elif fault == "truncated":
        size *= rng.uniform(1.2, 1.5)
        top = 0.03 if rng.random() < 0.65 else 0.97 - size
    elif fault == "junk":
        size *= rng.uniform(1.3, 2.2)
        top = rng.uniform(-0.9, 0.5)
        centre += rng.choice((-1, 1)) * rng.uniform(0.3, 0.6)
    return size, top, centre


def _draw(canvas: Canvas, cam: Camera, person: Identity, yaw: float, box: Box, rng: Random) -> None:
    """Paint a person and, under their feet, a soft shadow drawn out away from the light."""
    (size, head, centre), unit = box, canvas.height
    view = View(yaw, centre * canvas.width, head * unit, size * unit, cam.tilt, cam.swell)
    glaze = ImageDraw.Draw(canvas.image, "RGBA")
    x, y = view.centre - 0.06 * cam.light * view.size, view.top + 0.985 * view.size
    for spread, alpha in ((1.0, 30), (0.7, 34), (0.45, 36)):
        across = view.size * (0.16 + 0.06 * abs(cam.light)) * spread
        down = view.size * (0.016 + 0.1 * cam.tilt) * spread
        glaze.ellipse((x - across, y - down, x + across, y + down), fill=(0, 0, 10, alpha))
    draw_person(canvas, person, view, cam.light, rng)
