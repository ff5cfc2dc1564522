"""Bags: worn on the back, over the shoulder, or in the hand."""

from __future__ import annotations

import math

from mfa.synthetic.figure.brush import Brush
from mfa.synthetic.figure.pose import Arm, Pose
from mfa.synthetic.figure.solids import Limb, Stack
from mfa.synthetic.identity import Bag, Identity
from mfa.synthetic.masks import BAG
from mfa.synthetic.palette import tone

BACK = -0.088
"""Where a backpack's middle sits behind the spine."""


def draw_backpack(brush: Brush, bag: Bag, pose: Pose) -> None:
    """The pack itself, with a pocket."""
    size, top = bag.size, 0.182 + pose.sink
    high = 0.205 * size
    rings = [
        (top, 0.05 * size, 0.028 * size),
        (top + 0.03, 0.076 * size, 0.042 * size),
        (top + high * 0.6, 0.084 * size, 0.056 * size),
        (top + high, 0.08 * size, 0.05 * size),
    ]
    stack = Stack(brush.view, rings, z=BACK)
    brush.body(stack, bag.colour, BAG)
    pocket = (top + high * 0.55, top + high * 0.88)
    brush.patch(stack, (math.pi - 0.8, math.pi + 0.8), pocket, tone(bag.colour, 0.74), BAG)
    brush.shade(stack)


def draw_straps(brush: Brush, person: Identity, pose: Pose, torso: Stack) -> None:
    """Straps of a backpack over both shoulders, or of a shoulder bag across the body."""
    bag = person.bag
    start, waist = 0.166 + pose.sink, 0.39 + pose.sink
    if bag.kind == "backpack":
        for side in (-1, 1):
            around = (min(side * 0.62, side * 0.86), max(side * 0.62, side * 0.86))
            brush.patch(torso, around, (start, waist - 0.02), tone(bag.colour, 0.9), BAG)
        return
    if bag.kind != "shoulder":
        return
    # From one shoulder across the chest to the other hip, and back up behind.
    shoulder, hip = (-bag.side * 0.75, start), (bag.side * 1.35, pose.hip - 0.02)
    brush.ribbon(torso, shoulder, hip, 0.011, tone(bag.colour, 0.85), BAG)
    behind = (math.pi - shoulder[0], start), (math.pi - hip[0], hip[1])
    brush.ribbon(torso, *behind, 0.011, tone(bag.colour, 0.85), BAG)


def draw_shoulder_bag(brush: Brush, person: Identity, pose: Pose) -> None:
    """A bag on the hip."""
    bag = person.bag
    wide = 0.118 * (0.4 + 0.6 * person.body.width)
    y = pose.hip - 0.015
    rings = [
        (y - 0.035 * bag.size, 0.02, 0.062 * bag.size),
        (y + 0.06 * bag.size, 0.028, 0.066 * bag.size),
    ]
    stack = Stack(brush.view, rings, x=bag.side * wide, z=-0.01)
    brush.body(stack, bag.colour, BAG)
    for points in stack.patch((-math.pi, math.pi), (y - 0.035 * bag.size, y)):
        brush.canvas.darken(points, 44)
    brush.shade(stack)


def shoulder_bag_near(brush: Brush, person: Identity) -> float:
    """How much nearer to the camera than the body's axis a shoulder bag hangs."""
    return brush.view.near((person.bag.side * 0.12, 0.5, -0.01))


def draw_hand_bag(brush: Brush, person: Identity, arm: Arm) -> None:
    """A handbag or tote below the hand, or in the crook of a bent arm."""
    bag = person.bag
    held = arm.elbow if bag.kind == "handbag" and bag.size > 1.05 else arm.wrist
    if held is arm.wrist:
        held = (held[0], held[1] + 0.035, held[2])
    width, high = (0.058, 0.075) if bag.kind == "handbag" else (0.064, 0.12)
    drop = 0.055
    top = held[1] + drop
    rings = [(top, 0.02, width * bag.size * 0.86), (top + high * bag.size, 0.026, width * bag.size)]
    stack = Stack(brush.view, rings, x=held[0], z=held[2])
    for z in (-0.6, 0.6):
        end = (held[0], top + 0.004, held[2] + z * width * bag.size)
        strap = Limb(brush.view, held, end, 0.006, 0.006)
        brush.canvas.fill(strap.outline(), tone(bag.colour, 0.8), BAG)
    brush.body(stack, bag.colour, BAG)
    brush.shade(stack)
