"""The upper garment: shape, pattern, front, print."""

from __future__ import annotations

import math

from mfa.synthetic.canvas import steps
from mfa.synthetic.figure.brush import Brush
from mfa.synthetic.figure.solids import FULL, Ring, Span, Stack
from mfa.synthetic.identity import Body, Top
from mfa.synthetic.masks import TORSO
from mfa.synthetic.palette import Colour, mix, tone

SCARF = ((0.132, 0.05, 0.05), (0.155, 0.066, 0.062), (0.185, 0.058, 0.06))
HOOD = ((0.12, 0.04, 0.03), (0.15, 0.07, 0.05), (0.2, 0.06, 0.03))


def draw_torso(brush: Brush) -> Stack:
    """Garment, pattern, open front or print, shade; returns its shape, from collar to hem."""
    person, top, sink = brush.person, brush.person.top, brush.pose.sink
    rings = _sunk(_rings(person.body, top, brush.pose.hip - sink), sink)
    stack = brush.stack(rings, top.colour, TORSO)

    def patch(around: Span, start: float, end: float, colour: Colour) -> None:
        brush.patch(stack, around, (start, end), colour, TORSO)

    if top.cut != "vest":
        for around, down, colour in _pattern(top, stack, sink):
            patch(around, *down, colour)
    if top.cut in ("jacket", "coat", "vest"):
        width = 0.34 if top.cut == "vest" else 0.42
        patch((-width, width), stack.top, min(stack.end, brush.pose.hip + 0.03), top.inner)
        for lapel in ((-(width + 0.2), -width), (width, width + 0.2)):
            patch(lapel, stack.top, 0.26 + sink, tone(top.colour, 0.72))
    elif top.cut == "hoodie":
        patch((-0.6, 0.6), 0.385 + sink, 0.45 + sink, tone(top.colour, 0.82))
        if brush.view.cos < 0.4:
            brush.stack(_sunk(HOOD, sink), tone(top.colour, 0.86), TORSO, z=-0.045)
    else:
        low = 0.178 if person.body.female else 0.17
        patch((-0.8, 0.8), stack.top, low + sink, person.body.skin)
    for around, down in _print(top, sink):
        patch(around, *down, top.accent)
    brush.shade(stack)
    # The shadow of the hem and creases at the waist.
    brush.darken(stack, FULL, (stack.end - 0.01, stack.end), 46)
    for angle in (-1.9, -0.75, 0.6, 1.8):
        brush.darken(stack, (angle, angle + 0.5), (0.4 + sink, 0.415 + sink), 16)
    if person.scarf:
        brush.shade(brush.stack(_sunk(SCARF, sink), person.scarf, TORSO))
    return stack


def _sunk(rings: tuple[Ring, ...] | list[Ring], sink: float) -> list[Ring]:
    return [(y + sink, width, depth) for y, width, depth in rings]


def _rings(body: Body, top: Top, hip: float) -> list[Ring]:
    wide = 0.35 + 0.65 * body.width
    shoulder, waist = (0.93, 0.9) if body.female else (1.0, 1.0)
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
        rings[-1] = (hip + 0.03, 0.114 * wide, 0.086 * wide)
        rings.append((0.67, 0.13 * wide, 0.104 * wide))
    elif top.cut in ("jacket", "hoodie"):
        rings = [(y, width * 1.05, depth * 1.08) for y, width, depth in rings]
    return rings


def _pattern(top: Top, stack: Stack, sink: float) -> list[tuple[Span, Span, Colour]]:
    """The patches (angles, heights, colour) that make up the garment's pattern."""
    start, end, period = stack.top, stack.end, top.period
    whole = {
        "block": [(0.36 + sink, end)],
        "yoke": [(start, 0.24 + sink)],
        "bands": [(0.285 + sink, 0.32 + sink), (0.345 + sink, 0.36 + sink)],
    }
    patches = [(FULL, down, top.accent) for down in whole.get(top.pattern, ())]
    colour = mix(top.colour, top.accent, 0.5) if top.pattern == "check" else top.accent
    if top.pattern in ("hoops", "check"):
        for y in steps(start + 0.035, end, period):
            patches.append((FULL, (y, min(end, y + 0.42 * period)), colour))
    if top.pattern in ("pinstripe", "check"):
        count = max(6, round(2 * math.pi / (period * (9.0 if top.pattern == "check" else 7.0))))
        for k in range(count):
            angle = -math.pi + 2 * math.pi * k / count
            patches.append(((angle, angle + 2.2 / count), (start + 0.02, end), colour))
    return patches


def _print(top: Top, sink: float) -> list[tuple[Span, Span]]:
    """The patches (angles, heights) of the print, if there is one."""
    y, (width, height) = top.print_height + sink, top.print_size
    if top.pattern == "print" and top.cut == "shirt":
        middle = 0.0
    elif top.pattern == "backprint":
        middle, width, height = math.pi, width * 1.25, height * 1.2
    else:
        return []
    # A round print is a cross of two patches.
    shares = ((0.6, 1.0), (1.0, 0.6)) if top.print_round else ((1.0, 0.8),)
    return [
        ((middle - a * width, middle + a * width), (y - b * height, y + b * height))
        for a, b in shares
    ]
