"""Arms, sleeves and hands."""

from __future__ import annotations

from mfa.synthetic.figure.brush import Brush
from mfa.synthetic.figure.legs import between
from mfa.synthetic.figure.pose import FOREARM, UPPER_ARM, Arm
from mfa.synthetic.figure.solids import Limb
from mfa.synthetic.identity import Identity, Top
from mfa.synthetic.masks import ARMS
from mfa.synthetic.palette import Colour, mix, tone

BANDED = ("hoops", "check", "bands")
"""Patterns that go around the sleeves too."""

SEGMENT = (UPPER_ARM + FOREARM) / 2


def draw_arm(brush: Brush, person: Identity, arm: Arm, *, far: bool) -> None:
    """One arm from shoulder to fingertips; the far one a little darker."""
    dim = 0.82 if far else 1.0
    girth = 0.6 + 0.4 * person.body.width
    skin = tone(person.body.skin, dim)
    top = person.top
    brush.limb(arm.wrist, arm.tip, 0.0155, 0.0125, skin, ARMS)
    if top.sleeve != "long":
        brush.limb(arm.elbow, arm.wrist, 0.0235 * girth, 0.0165 * girth, skin, ARMS)
        brush.limb(arm.shoulder, arm.elbow, 0.031 * girth, 0.0245 * girth, skin, ARMS)
    colour = tone(sleeve_colour(top), dim)
    if top.sleeve == "long":
        thick = girth * (1.14 if top.cut in ("jacket", "coat", "hoodie") else 1.0)
        elbow = 0.031 * thick
        fore = brush.limb(arm.elbow, arm.wrist, elbow, 0.024 * thick, colour, ARMS, hem=True)
        _rings(brush, top, fore, dim)
        upper = brush.limb(arm.shoulder, arm.elbow, 0.0375 * thick, elbow, colour, ARMS)
        _rings(brush, top, upper, dim)
    elif top.sleeve == "short":
        end = between(arm.shoulder, arm.elbow, 0.82)
        wide = 0.038 * girth
        short = brush.limb(arm.shoulder, end, wide, wide * 0.97, colour, ARMS, hem=True)
        _rings(brush, top, short, dim)


def sleeve_colour(top: Top) -> Colour:
    """A vest's sleeves are the shirt's under it; some garments have sleeves of another colour."""
    if top.cut == "vest":
        return top.inner
    if top.pattern == "yoke" or (top.other_sleeves and top.pattern != "plain"):
        return top.accent
    return top.colour


def _rings(brush: Brush, top: Top, limb: Limb, dim: float) -> None:
    """The garment's stripes, around the sleeve."""
    if top.cut == "vest" or top.other_sleeves or top.pattern not in BANDED:
        return
    if top.pattern == "bands":
        brush.canvas.fill(limb.piece(0.55, 0.8), tone(top.accent, dim), ARMS)
        return
    colour = top.accent if top.pattern == "hoops" else mix(top.colour, top.accent, 0.5)
    count = max(2, round(SEGMENT / top.period))
    for k in range(count):
        start = (k + 0.3) / count
        brush.canvas.fill(limb.piece(start, start + 0.42 / count), tone(colour, dim), ARMS)
