"""Legs and arms with what they wear."""

from __future__ import annotations

from mfa.synthetic.figure.brush import Brush
from mfa.synthetic.figure.pose import FOREARM, UPPER_ARM, Arm, Leg, Pose
from mfa.synthetic.figure.solids import FULL, Limb, Place, Stack
from mfa.synthetic.identity import Identity, Top
from mfa.synthetic.masks import ARMS, SHINS, THIGHS
from mfa.synthetic.palette import Colour, mix, tone

SKIRT_END = {"skirt": 0.69, "longskirt": 0.86}
KNEE = 0.72


def between(p: Place, q: Place, share: float) -> Place:
    """The place ``share`` of the way from ``p`` to ``q``."""
    return (
        p[0] + (q[0] - p[0]) * share,
        p[1] + (q[1] - p[1]) * share,
        p[2] + (q[2] - p[2]) * share,
    )


def draw_leg(brush: Brush, person: Identity, leg: Leg, *, far: bool) -> None:
    """One leg with its shoe; the far one a little darker, in the shadow of the near one."""
    dim = 0.8 if far else 1.0
    bottom = person.bottom
    girth = 0.45 + 0.55 * person.body.width
    if bottom.kind in ("trousers", "slim"):
        _trouser_leg(brush, person, leg, girth, dim)
    else:
        hose = bottom.hose if bottom.kind != "shorts" else None
        _bare_leg(brush, leg, girth, tone(hose or person.body.skin, dim))
        if bottom.kind == "shorts":
            end = between(leg.hip, leg.knee, 0.97)
            wide = 0.062 * girth
            brush.limb(leg.hip, end, wide, wide * 0.95, tone(bottom.colour, dim), THIGHS, hem=True)
    if bottom.boot:
        top = between(leg.knee, leg.ankle, 0.45)
        brush.limb(top, leg.ankle, 0.036 * girth, 0.028, tone(bottom.shoe, dim), SHINS)
    _shoe(brush, person, leg, dim)


def _trouser_leg(brush: Brush, person: Identity, leg: Leg, girth: float, dim: float) -> None:
    bottom = person.bottom
    wide = bottom.kind == "trousers" and not bottom.boot
    knee, hem = (0.046, 0.039) if wide else (0.04, 0.026)
    colour = tone(bottom.colour, dim)
    end = between(leg.knee, leg.ankle, 1.06 if wide else 0.94)
    shin = brush.limb(leg.knee, end, knee * girth, hem * girth, colour, SHINS, hem=True)
    thigh = brush.limb(leg.hip, leg.knee, 0.061 * girth, knee * girth, colour, THIGHS)
    # Folds behind the knee and over the shoe.
    brush.canvas.darken(shin.piece(0.0, 0.07), 26)
    brush.canvas.darken(shin.piece(0.86, 0.93, -0.8, 0.9), 30)
    if bottom.side_stripe and leg.side * brush.view.sin < 0.3:
        outer = leg.side if brush.view.cos >= 0 else -leg.side
        edge = outer * min(0.8, max(0.12, abs(brush.view.cos)))
        lane = (edge - 0.2, edge + 0.2)
        if thigh.across[0] < 0:
            lane = (-edge - 0.2, -edge + 0.2)
        brush.canvas.fill(thigh.piece(0, 1, *lane), tone(bottom.accent, dim), THIGHS)
        brush.canvas.fill(shin.piece(0, 1, *lane), tone(bottom.accent, dim), SHINS)
    if bottom.cuff:
        brush.canvas.fill(shin.piece(0.9, 1.03), tone(bottom.accent, dim), SHINS)


def _bare_leg(brush: Brush, leg: Leg, girth: float, colour: Colour) -> None:
    calf = between(leg.knee, leg.ankle, 0.35)
    brush.limb(calf, leg.ankle, 0.036 * girth, 0.019 * girth, colour, SHINS)
    brush.limb(leg.knee, calf, 0.034 * girth, 0.036 * girth, colour, SHINS)
    brush.limb(leg.hip, leg.knee, 0.057 * girth, 0.035 * girth, colour, THIGHS)


def _shoe(brush: Brush, person: Identity, leg: Leg, dim: float) -> None:
    bottom = person.bottom
    heel = (leg.ankle[0], leg.ankle[1] + 0.016, leg.ankle[2] - 0.012)
    toe = leg.toe
    brush.limb(heel, toe, 0.0255, 0.0185, tone(bottom.shoe, dim), SHINS)
    if bottom.pale_sole:
        low, tip = (heel[0], heel[1] + 0.019, heel[2]), (toe[0], toe[1] + 0.011, toe[2])
        sole = Limb(brush.view, low, tip, 0.0085, 0.0075)
        brush.canvas.fill(sole.outline(), tone((224, 222, 214), dim), SHINS)


def draw_hips(brush: Brush, person: Identity, pose: Pose) -> None:
    """Seat of the trousers, or the skirt over both legs."""
    bottom, hip = person.bottom, pose.hip
    wide = 0.4 + 0.6 * person.body.width
    waist, seat = 0.092 * wide, (0.106 if person.body.female else 0.1) * wide
    if bottom.kind in SKIRT_END:
        _skirt(brush, person, pose, waist, seat)
        return
    rings = [
        (hip - 0.075, waist, 0.068 * wide),
        (hip - 0.01, seat, 0.08 * wide),
        (hip + 0.035, seat * 0.98, 0.074 * wide),
    ]
    stack = Stack(brush.view, rings)
    brush.body(stack, bottom.colour, THIGHS)
    brush.shade(stack, 0.8)


def _skirt(brush: Brush, person: Identity, pose: Pose, waist: float, seat: float) -> None:
    bottom, hip = person.bottom, pose.hip
    end = SKIRT_END[bottom.kind]
    reach = max(abs(leg.knee[2]) for leg in pose.legs)
    width, depth = seat * 1.22, seat * 0.85 + 0.55 * reach
    rings = [
        (hip - 0.08, waist, waist * 0.72),
        (hip, seat, seat * 0.8),
        ((hip + end) / 2, (seat + width) / 2, (seat * 0.8 + depth) / 2),
        (end, width, depth),
    ]
    stack = Stack(brush.view, rings)
    brush.body(stack, bottom.colour, THIGHS)
    if end > KNEE:
        brush.patch(stack, FULL, (KNEE, end), bottom.colour, SHINS)
    brush.shade(stack)
    for fold in (-0.9, -0.3, 0.35, 0.95):
        low = stack.lane(fold, fold + 0.12)
        brush.canvas.darken(low, 14)
    if bottom.side_stripe:
        part = SHINS if end > KNEE else THIGHS
        brush.patch(stack, FULL, (end - 0.022, end), bottom.accent, part)


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
