"""What a pixel of a part mask can be."""

from __future__ import annotations

PARTS: tuple[str, ...] = (
    "background",
    "head",
    "torso",
    "arms",
    "thighs",
    "shins",
    "bag",
    "occluder",
    "other",
)
"""Part names; a mask pixel is an index into this. ``other`` is somebody who is not the subject."""

BACKGROUND, HEAD, TORSO, ARMS, THIGHS, SHINS, BAG, OCCLUDER, OTHER = range(len(PARTS))
