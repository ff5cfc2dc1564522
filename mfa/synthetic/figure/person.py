"""Putting a person together in the order of depth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from mfa.synthetic.canvas import Canvas
from mfa.synthetic.figure.bags import (
    BACK,
    draw_backpack,
    draw_hand_bag,
    draw_shoulder_bag,
    draw_straps,
    shoulder_bag_near,
)
from mfa.synthetic.figure.brush import Brush
from mfa.synthetic.figure.head import draw_head
from mfa.synthetic.figure.limbs import draw_arm, draw_hips, draw_leg
from mfa.synthetic.figure.pose import Leg, Pose, pose
from mfa.synthetic.figure.solids import View
from mfa.synthetic.figure.torso import draw_torso, torso_stack
from mfa.synthetic.identity import Identity

Layer = tuple[float, Callable[[], None]]
"""How near it is, and what paints it."""


def draw_person(canvas: Canvas, person: Identity, view: View, light: float, rng: Random) -> None:
    """Paint ``person`` in a pose drawn from ``rng``, parts further away first."""
    brush = Brush(canvas, view, light)
    held = pose(person, rng)
    layers: list[Layer] = [
        *_leg_layers(brush, person, held),
        (0.0, partial(_trunk, brush, person, held)),
        *_arm_layers(brush, person, held),
        *_bag_layers(brush, person, held),
    ]
    layers.sort(key=lambda layer: layer[0])
    for _, paint in layers:
        paint()
    draw_head(brush, person, held)


def _trunk(brush: Brush, person: Identity, held: Pose) -> None:
    draw_hips(brush, person, held)
    stack = torso_stack(brush, person, held)
    draw_torso(brush, person, held, stack)
    draw_straps(brush, person, held, stack)


def _leg_layers(brush: Brush, person: Identity, held: Pose) -> list[Layer]:
    def near(leg: Leg) -> float:
        return brush.view.near(leg.knee) + brush.view.near(leg.ankle)

    far, close = sorted(held.legs, key=near)
    # Both legs lie under the garments of the trunk (0), whichever way the body is turned.
    return [
        (-0.04, partial(draw_leg, brush, person, far, far=True)),
        (-0.02, partial(draw_leg, brush, person, close, far=False)),
    ]


def _arm_layers(brush: Brush, person: Identity, held: Pose) -> list[Layer]:
    layers: list[Layer] = []
    for arm in held.arms:
        near = (brush.view.near(arm.elbow) + brush.view.near(arm.wrist)) / 2
        layers.append((near, partial(draw_arm, brush, person, arm, far=near < -0.03)))
        if person.bag.kind in ("handbag", "tote") and arm.side == person.bag.side:
            layers.append((near + 0.001, partial(draw_hand_bag, brush, person, arm)))
    return layers


def _bag_layers(brush: Brush, person: Identity, held: Pose) -> list[Layer]:
    if person.bag.kind == "backpack":
        seen = brush.view.near((0, 0.3, BACK))
        near = 0.02 if seen > -0.02 else -0.05
        return [(near, partial(draw_backpack, brush, person.bag, held))]
    if person.bag.kind == "shoulder":
        near = shoulder_bag_near(brush, person)
        return [(near, partial(draw_shoulder_bag, brush, person, held))]
    return []
