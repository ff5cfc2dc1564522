"""Putting a person together in the order of depth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import itemgetter
from random import Random

from mfa.synthetic.canvas import Canvas
from mfa.synthetic.figure.bags import (
    BACK,
    draw_backpack,
    draw_hand_bag,
    draw_shoulder_bag,
    draw_straps,
)
from mfa.synthetic.figure.brush import Brush
from mfa.synthetic.figure.head import draw_head
from mfa.synthetic.figure.limbs import draw_arm, draw_hips, draw_leg
from mfa.synthetic.figure.pose import pose
from mfa.synthetic.figure.solids import View
from mfa.synthetic.figure.torso import draw_torso
from mfa.synthetic.identity import Identity


def draw_person(canvas: Canvas, person: Identity, view: View, light: float, rng: Random) -> None:
    """Paint ``person`` in a pose drawn from ``rng``, parts further away first."""
    held, bag = pose(person, rng), person.bag
    brush = Brush(canvas, view, light, person, held)
    far, close = sorted(held.legs, key=lambda leg: view.near(leg.knee) + view.near(leg.ankle))
    # How near each part is, and what paints it. Both legs lie under the garments of the trunk (0),
    # whichever way the body is turned; the far one is darker, in the shadow of the near one.
    layers: list[tuple[float, Callable[[], None]]] = [
        (-0.04, partial(draw_leg, brush, far, 0.8)),
        (-0.02, partial(draw_leg, brush, close, 1.0)),
        (0.0, partial(_trunk, brush)),
    ]
    for arm in held.arms:
        near = (view.near(arm.elbow) + view.near(arm.wrist)) / 2
        layers.append((near, partial(draw_arm, brush, arm, 0.82 if near < -0.03 else 1.0)))
        if bag.kind in ("handbag", "tote") and arm.side == bag.side:
            layers.append((near + 0.001, partial(draw_hand_bag, brush, arm)))
    if bag.kind == "backpack":
        near = 0.02 if view.near((0, 0.3, BACK)) > -0.02 else -0.05
        layers.append((near, partial(draw_backpack, brush)))
    if bag.kind == "shoulder":
        near = view.near((bag.side * 0.12, 0.5, -0.01))
        layers.append((near, partial(draw_shoulder_bag, brush)))
    for _, paint in sorted(layers, key=itemgetter(0)):
        paint()
    draw_head(brush)


def _trunk(brush: Brush) -> None:
    draw_hips(brush)
    draw_straps(brush, draw_torso(brush))
