"""Bags: worn on the back, over the shoulder, or in the hand."""

from __future__ import annotations

import math

from mfa.synthetic.figure.brush import Brush
from mfa.synthetic.figure.pose import Arm
from mfa.synthetic.figure.solids import Limb, Stack
from mfa.synthetic.masks import BAG
from mfa.synthetic.palette import tone

BACK = -0.088
"""Where a backpack's middle sits behind the spine."""


def draw_backpack(brush: Brush) -> None:
    """The pack itself, with a pocket."""
    bag, size, top = brush.person.bag, brush.person.bag.size, 0.182 + brush.pose.sink
    high = 0.205 * size
    rings = [
        (top, 0.05 * size, 0.028 * size),
        (top + 0.03, 0.076 * size, 0.042 * size),
        (top + high * 0.6, 0.084 * size, 0.056 * size),
        (top + high, 0.08 * size, 0.05 * size),
    ]
    stack = brush.stack(rings, bag.colour, BAG, z=BACK)
    pocket = (top + high * 0.55, top + high * 0.88)
    brush.patch(stack, (math.pi - 0.8, math.pi + 0.8), pocket, tone(bag.colour, 0.74), BAG)
    brush.shade(stack)


def draw_straps(brush: Brush, torso: Stack) -> None:
    """Straps of a backpack over both shoulders, or of a shoulder bag across the body."""
    bag, pose = brush.person.bag, brush.pose
    start, waist = 0.166 + pose.sink, 0.39 + pose.sink
    if bag.kind == "backpack":
        for around in ((-0.86, -0.62), (0.62, 0.86)):
            brush.patch(torso, around, (start, waist - 0.02), tone(bag.colour, 0.9), BAG)
    if bag.kind == "shoulder":
        # From one shoulder across the chest to the other hip, and back up behind.
        shoulder, hip = -bag.side * 0.75, bag.side * 1.35
        for a, b in ((shoulder, hip), (math.pi - shoulder, math.pi - hip)):
            if points := torso.ribbon((a, start), (b, pose.hip - 0.02), 0.011):
                brush.canvas.fill(points, tone(bag.colour, 0.85), BAG)


def draw_shoulder_bag(brush: Brush) -> None:
    """A bag on the hip."""
    bag, y = brush.person.bag, brush.pose.hip - 0.015
    x = bag.side * (0.118 * (0.4 + 0.6 * brush.person.body.width))
    top = y - 0.035 * bag.size
    rings = [(top, 0.02, 0.062 * bag.size), (y + 0.06 * bag.size, 0.028, 0.066 * bag.size)]
    stack = brush.stack(rings, bag.colour, BAG, x=x, z=-0.01)
    brush.darken(stack, (-math.pi, math.pi), (top, y), 44)
    brush.shade(stack)


def draw_hand_bag(brush: Brush, arm: Arm) -> None:
    """A handbag or tote below the hand, or in the crook of a bent arm."""
    bag = brush.person.bag
    x, y, z = arm.elbow
    if bag.kind == "tote" or bag.size <= 1.05:
        x, y, z = arm.wrist[0], arm.wrist[1] + 0.035, arm.wrist[2]
    width, high = (0.058, 0.075) if bag.kind == "handbag" else (0.064, 0.12)
    top = y + 0.055
    for across in (-0.6, 0.6):
        end = (x, top + 0.004, z + across * width * bag.size)
        strap = Limb(brush.view, (x, y, z), end, 0.006, 0.006)
        brush.canvas.fill(strap.outline(), tone(bag.colour, 0.8), BAG)
    rings = [(top, 0.02, width * bag.size * 0.86), (top + high * bag.size, 0.026, width * bag.size)]
    brush.shade(brush.stack(rings, bag.colour, BAG, x=x, z=z))
