"""From a pose to one body region per pixel (ours).

A pixel of the person belongs to the nearest limb. A limb is the line between two landmarks with a
width, in units of the distance between shoulders and hips; the head is a disc around the ears.
The accuracy on drawn people, whose parts are known, is in data/weights/masks/README.md. A second
public model (BodyPix) did not improve the regions there.
"""

from __future__ import annotations

import numpy as np

from mfa.segmentation.landmarks import Pose
from mfa.synthetic.masks import ARMS, BACKGROUND, HEAD, SHINS, THIGHS, TORSO

PERSON = 0.5
"""Probability from which a pixel is the person."""

BODY = slice(11, 29)
"""The landmarks of shoulders, arms, hips, knees and ankles."""

WIDTH = {TORSO: 0.1, ARMS: 0.1, THIGHS: 0.1, SHINS: 0.08}
HEAD_RADIUS = 0.35
"""Half widths of limbs and the head's radius; of seven settings tried, the most accurate."""

LIMBS: tuple[tuple[int, int, int], ...] = (
    (TORSO, 11, 12), (TORSO, 11, 23), (TORSO, 12, 24), (TORSO, 23, 24), (TORSO, 11, 24),
    (TORSO, 12, 23), (ARMS, 11, 13), (ARMS, 13, 15), (ARMS, 15, 19), (ARMS, 12, 14),
    (ARMS, 14, 16), (ARMS, 16, 20), (THIGHS, 23, 25), (THIGHS, 24, 26), (SHINS, 25, 27),
    (SHINS, 27, 31), (SHINS, 26, 28), (SHINS, 28, 32),
)  # fmt: skip
"""Region of each limb and the two landmarks that it joins; feet count as shins."""


def regions_of(pose: Pose) -> np.ndarray:
    """(H, W) uint8 indices into ``mfa.synthetic.PARTS``: background, head, torso, arms, legs."""
    y, x = np.mgrid[: pose.person.shape[0], : pose.person.shape[1]] + 0.5
    points = pose.landmarks
    unit = float(np.linalg.norm(points[[11, 12]].mean(0) - points[[23, 24]].mean(0))) or 1.0
    ears = points[[7, 8]].mean(0)
    found = np.full(pose.person.shape, HEAD, np.uint8)
    best = np.hypot(x - ears[0], y - ears[1]) - HEAD_RADIUS * unit
    for region, one, two in LIMBS:
        start, way = points[one], points[two] - points[one]
        along = ((x - start[0]) * way[0] + (y - start[1]) * way[1]) / max(way @ way, 1e-9)
        along = along.clip(0, 1)
        away = np.hypot(x - start[0] - along * way[0], y - start[1] - along * way[1])
        away -= WIDTH[region] * unit
        found[away < best] = region
        best = np.minimum(best, away)
    return np.where(pose.person >= PERSON, found, BACKGROUND).astype(np.uint8)


def visibility(pose: Pose) -> float:
    """Mean probability that the body's landmarks can be seen, 0 to 1."""
    return float(pose.visible[BODY].mean())
