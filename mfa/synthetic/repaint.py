"""One picture drawn twice, the second time with one thing changed and all else equal."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, get_args

import numpy as np

from mfa.errors import InputError
from mfa.synthetic.config import SyntheticConfig
from mfa.synthetic.identity import Identity, identity
from mfa.synthetic.palette import CLOTH
from mfa.synthetic.scene import shoot

Thing = Literal["jacket", "trousers", "shoes", "bag", "hat"]

THINGS: tuple[Thing, ...] = get_args(Thing)

PLACE: dict[Thing, tuple[str, str]] = {
    "jacket": ("top", "colour"),
    "trousers": ("bottom", "colour"),
    "shoes": ("bottom", "shoe"),
    "bag": ("bag", "colour"),
    "hat": ("head", "hat_colour"),
}
"""Where a thing's colour stands in ``Identity``: the part, and its field."""

APART = 110.0
"""Distance in RGB, at least, between a thing's old and new colour."""


@dataclass(frozen=True, eq=False)
class Repainting:
    """Two pictures that differ in one thing.

    Attributes:
        image: (H, W, 3) uint8, as it leaves the camera, before JPEG.
        repainted: the same picture with the thing changed.
        changed: (H, W) bool, the pixels in which the two differ.
    """

    image: np.ndarray
    repainted: np.ndarray
    changed: np.ndarray


def repaint(
    pid: int, camera: int, repeat: int, config: SyntheticConfig, thing: Thing
) -> Repainting | None:
    """Draw person ``pid`` as ``render`` does, without a fault, and again with ``thing`` changed.

    Jacket (the upper garment), trousers (the lower), shoes and bag take another colour; so does
    the hat, and whoever has none gets one. Light, pose, place, blur and grain are the same in both.
    The new colour depends on person and thing alone, so pictures from several cameras agree.

    Returns:
        ``None`` for the bag of somebody who carries none.
    """
    if thing not in THINGS:
        raise InputError(f"no thing {thing!r} can be changed; there are {', '.join(THINGS)}")
    person = identity(pid, config.groups, config.seed)
    if thing == "bag" and person.bag.kind == "none":
        return None
    other = _changed(person, thing, Random(f"{config.seed}/repaint/{pid}/{thing}"))
    image, repainted = (
        np.asarray(shoot(pid, camera, repeat, config, "none", each).image)
        for each in (person, other)
    )
    return Repainting(image, repainted, (image != repainted).any(axis=2))


def _changed(person: Identity, thing: Thing, rng: Random) -> Identity:
    if thing == "hat" and person.head.hat == "none":
        # The colour of a new hat differs from that of the hair.
        bare = replace(person.head, hat="beanie", hat_colour=person.head.hair)
        person = replace(person, head=bare)
    part, field = PLACE[thing]
    old = getattr(getattr(person, part), field)
    new = rng.choice([cloth for cloth in CLOTH.values() if math.dist(cloth, old) >= APART])
    return replace(person, **{part: replace(getattr(person, part), **{field: new})})
