"""The upper garment: shape, pattern, front, print."""

from __future__ import annotations

import math

from mfa.synthetic.figure.brush import Brush
from mfa.synthetic.figure.pose import Pose
from mfa.synthetic.figure.solids import FULL, Ring, Stack
from mfa.synthetic.identity import Body, Identity, Top
from mfa.synthetic.masks import TORSO
from mfa.synthetic.palette import mix, tone


def torso_stack(brush: Brush, person: Identity, pose: Pose) -> Stack:
    """The torso in its garment, from the collar to the hem."""
    rings = [
        (y + pose.sink, width, depth)
        for y, width, depth in _rings(person.body, person.top, pose.hip - pose.sink)
    ]
    return Stack(brush.view, rings)


def _rings(body: Body, top: Top, hip: float) -> list[Ring]:
    wide = 0.35 + 0.65 * body.width
    shoulder = 0.93 if body.female else 1.0
    waist = 0.9 if body.female else 1.0
    round_ = 0.5 * max(0.0, body.width - 1.05)
    hem = hip + 0.022 + top.hem
    rings = [
        (0.148, 0.036, 0.04),
        (0.163, 0.062 * wide * shoulder, 0.05),
        (0.176, 0.1 * wide * shoulder, 0.056 * wide),
        (0.2, 0.116 * wide * shoulder, 0.064 * wide),
        (0.265, 0.112 * wide * shoulder, 0.074 * wide),
        (0.37, (0.096 + 0.1 * round_) * wide * waist, (0.07 + 0.2 * round_) * wide),
        (hem - 0.05, 0.1 * wide, (0.074 + 0.14 * round_) * wide),
        (hem, 0.105 * wide, 0.077 * wide),
    ]
    if top.cut == "coat":
        rings = [*rings[:-1], (hip + 0.03, 0.114 * wide, 0.086 * wide)]
        rings.append((0.67, 0.13 * wide, 0.104 * wide))
    elif top.cut in ("jacket", "hoodie"):
        rings = [(y, width * 1.05, depth * 1.08) for y, width, depth in rings]
    return rings


def draw_torso(brush: Brush, person: Identity, pose: Pose, stack: Stack) -> None:
    """Garment, pattern, open front or print, shade."""
    top = person.top
    brush.body(stack, top.colour, TORSO)
    if top.cut != "vest":
        _pattern(brush, top, stack, pose.sink)
    if top.cut in ("jacket", "coat", "vest"):
        _open_front(brush, top, stack, pose)
    elif top.cut == "hoodie":
        _hoodie(brush, top, stack, pose)
    else:
        _collar(brush, person, stack, pose)
    _print(brush, top, stack, pose.sink)
    brush.shade(stack)
    _folds(brush, stack, pose)
    if person.scarf:
        rings = ((0.132, 0.05, 0.05), (0.155, 0.066, 0.062), (0.185, 0.058, 0.06))
        scarf = Stack(brush.view, [(y + pose.sink, width, depth) for y, width, depth in rings])
        brush.body(scarf, person.scarf, TORSO)
        brush.shade(scarf)


def _pattern(brush: Brush, top: Top, stack: Stack, sink: float) -> None:
    start, end = stack.rings[0][0], stack.rings[-1][0]
    if top.pattern in ("hoops", "check"):
        colour = top.accent if top.pattern == "hoops" else mix(top.colour, top.accent, 0.5)
        y = start + 0.035
        while y < end:
            brush.patch(stack, FULL, (y, min(end, y + 0.42 * top.period)), colour, TORSO)
            y += top.period
    if top.pattern in ("pinstripe", "check"):
        step = top.period * (9.0 if top.pattern == "check" else 7.0)
        colour = top.accent if top.pattern == "pinstripe" else mix(top.colour, top.accent, 0.5)
        count = max(6, round(2 * math.pi / step))
        for k in range(count):
            angle = -math.pi + 2 * math.pi * k / count
            brush.patch(stack, (angle, angle + 2.2 / count), (start + 0.02, end), colour, TORSO)
    if top.pattern == "block":
        brush.patch(stack, FULL, (0.36 + sink, end), top.accent, TORSO)
    if top.pattern == "yoke":
        brush.patch(stack, FULL, (start, 0.24 + sink), top.accent, TORSO)
    if top.pattern == "bands":
        brush.patch(stack, FULL, (0.285 + sink, 0.32 + sink), top.accent, TORSO)
        brush.patch(stack, FULL, (0.345 + sink, 0.36 + sink), top.accent, TORSO)


def _open_front(brush: Brush, top: Top, stack: Stack, pose: Pose) -> None:
    end = min(stack.rings[-1][0], pose.hip + 0.03)
    width = 0.42 if top.cut != "vest" else 0.34
    brush.patch(stack, (-width, width), (stack.rings[0][0], end), top.inner, TORSO)
    for side in (-1, 1):  # Lapels.
        edge = sorted((side * width, side * (width + 0.2)))
        collar = (stack.rings[0][0], 0.26 + pose.sink)
        brush.patch(stack, (edge[0], edge[1]), collar, tone(top.colour, 0.72), TORSO)


def _hoodie(brush: Brush, top: Top, stack: Stack, pose: Pose) -> None:
    pocket = (0.385 + pose.sink, 0.45 + pose.sink)
    brush.patch(stack, (-0.6, 0.6), pocket, tone(top.colour, 0.82), TORSO)
    hood = Stack(
        brush.view,
        [
            (0.12 + pose.sink, 0.04, 0.03),
            (0.15 + pose.sink, 0.07, 0.05),
            (0.2 + pose.sink, 0.06, 0.03),
        ],
        z=-0.045,
    )
    if brush.view.cos < 0.4:
        brush.body(hood, tone(top.colour, 0.86), TORSO)


def _collar(brush: Brush, person: Identity, stack: Stack, pose: Pose) -> None:
    low = 0.178 if person.body.female else 0.17
    brush.patch(stack, (-0.8, 0.8), (stack.rings[0][0], low + pose.sink), person.body.skin, TORSO)


def _print(brush: Brush, top: Top, stack: Stack, sink: float) -> None:
    width, height = top.print_size
    y = top.print_height + sink
    if top.pattern == "print" and top.cut == "shirt":
        middle = 0.0
    elif top.pattern == "backprint":
        middle, width, height = math.pi, width * 1.25, height * 1.2
    else:
        return
    around = (middle - width, middle + width)
    if top.print_round:
        inner = (middle - 0.6 * width, middle + 0.6 * width)
        brush.patch(stack, inner, (y - height, y + height), top.accent, TORSO)
        brush.patch(stack, around, (y - 0.6 * height, y + 0.6 * height), top.accent, TORSO)
    else:
        brush.patch(stack, around, (y - height * 0.8, y + height * 0.8), top.accent, TORSO)


def _folds(brush: Brush, stack: Stack, pose: Pose) -> None:
    """A crease at the waist and the shadow of the hem."""
    end = stack.rings[-1][0]
    for points in stack.patch(FULL, (end - 0.01, end)):
        brush.canvas.darken(points, 46)
    for angle in (-1.9, -0.75, 0.6, 1.8):
        crease = (0.4 + pose.sink, 0.415 + pose.sink)
        for points in stack.patch((angle, angle + 0.5), crease):
            brush.canvas.darken(points, 16)
