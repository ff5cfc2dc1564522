"""Colours of garments, hair and skin."""

from __future__ import annotations

from random import Random

Colour = tuple[int, int, int]

CLOTH: dict[str, Colour] = {
    "black": (38, 38, 42),
    "white": (226, 226, 222),
    "grey": (132, 134, 138),
    "darkgrey": (74, 76, 82),
    "navy": (38, 48, 88),
    "blue": (58, 98, 172),
    "denim": (78, 102, 142),
    "red": (178, 46, 46),
    "green": (54, 112, 68),
    "beige": (198, 178, 142),
    "brown": (106, 74, 50),
    "khaki": (126, 120, 86),
    "yellow": (220, 186, 62),
    "orange": (214, 116, 46),
    "pink": (216, 140, 160),
    "purple": (106, 68, 132),
    "teal": (52, 132, 138),
}

UPPER = ("black", "white", "grey", "navy", "red", "blue", "green", "beige")
"""Main colours of upper garments, in the order the groups take them."""

LOWER = ("black", "denim", "darkgrey", "khaki", "navy", "beige")

HAIR: tuple[Colour, ...] = (
    (26, 22, 22),
    (54, 38, 28),
    (98, 68, 40),
    (176, 142, 84),
    (152, 152, 154),
    (128, 60, 36),
)

SKIN: tuple[Colour, ...] = (
    (238, 204, 180),
    (222, 180, 150),
    (194, 148, 114),
    (150, 106, 76),
    (100, 68, 50),
)


def jitter(rng: Random, colour: Colour, spread: float) -> Colour:
    """``colour`` with Gaussian noise of ``spread`` grey levels on each channel."""
    r, g, b = (min(246, max(8, round(value + rng.gauss(0, spread)))) for value in colour)
    return r, g, b


def tone(colour: Colour, factor: float) -> Colour:
    """``colour`` darker (factor below 1) or lighter."""
    r, g, b = (min(255, int(value * factor)) for value in colour)
    return r, g, b


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """``first`` with ``share`` of ``second`` in it."""
    r, g, b = (round(a + (c - a) * share) for a, c in zip(first, second, strict=True))
    return r, g, b
