"""Legs, hips and arms with what they wear."""

from __future__ import annotations

from mfa.synthetic.figure.brush import Brush
from mfa.synthetic.figure.pose import FOREARM, UPPER_ARM, Arm, Leg
from mfa.synthetic.figure.solids import FULL, Limb, Place
from mfa.synthetic.identity import Top
from mfa.synthetic.masks import ARMS, SHINS, THIGHS
from mfa.synthetic.palette import Colour, mix, tone

SKIRT_END = {"skirt": 0.69, "longskirt": 0.86}
KNEE = 0.72

BANDED = ("hoops", "check", "bands")
"""Patterns that go around the sleeves too."""

SEGMENT = (UPPER_ARM + FOREARM) / 2


def _between(p: Place, q: Place, share: float) -> Place:
    """The place ``share`` of the way from ``p`` to ``q``."""
    x, y, z = (a + (b - a) * share for a, b in zip(p, q, strict=True))
    return x, y, z


def draw_leg(brush: Brush, leg: Leg, dim: float) -> None:
    """One leg with its shoe, darker by the factor ``dim``."""
    body, bottom = brush.person.body, brush.person.bottom
    girth = 0.45 + 0.55 * body.width
    shoe = tone(bottom.shoe, dim)
    if bottom.kind in ("trousers", "slim"):
        _trouser_leg(brush, leg, girth, dim)
    else:
        hose = bottom.hose if bottom.kind != "shorts" else None
        colour, calf = tone(hose or body.skin, dim), _between(leg.knee, leg.ankle, 0.35)
        brush.limb(calf, leg.ankle, 0.036 * girth, 0.019 * girth, colour, SHINS)
        brush.limb(leg.knee, calf, 0.034 * girth, 0.036 * girth, colour, SHINS)
        brush.limb(leg.hip, leg.knee, 0.057 * girth, 0.035 * girth, colour, THIGHS)
    if bottom.kind == "shorts":
        end, wide = _between(leg.hip, leg.knee, 0.97), 0.062 * girth
        brush.limb(leg.hip, end, wide, wide * 0.95, tone(bottom.colour, dim), THIGHS, hem=True)
    if bottom.boot:
        top = _between(leg.knee, leg.ankle, 0.45)
        brush.limb(top, leg.ankle, 0.036 * girth, 0.028, shoe, SHINS)
    (x, y, z), toe = leg.ankle, leg.toe
    heel = (x, y + 0.016, z - 0.012)
    brush.limb(heel, toe, 0.0255, 0.0185, shoe, SHINS)
    if bottom.pale_sole:
        low, tip = (x, heel[1] + 0.019, heel[2]), (toe[0], toe[1] + 0.011, toe[2])
        sole = Limb(brush.view, low, tip, 0.0085, 0.0075)
        brush.canvas.fill(sole.outline(), tone((224, 222, 214), dim), SHINS)


def _trouser_leg(brush: Brush, leg: Leg, girth: float, dim: float) -> None:
    bottom, canvas, view = brush.person.bottom, brush.canvas, brush.view
    colour, accent = tone(bottom.colour, dim), tone(bottom.accent, dim)
    wide = bottom.kind == "trousers" and not bottom.boot
    knee, hem, reach = (0.046, 0.039, 1.06) if wide else (0.04, 0.026, 0.94)
    end = _between(leg.knee, leg.ankle, reach)
    shin = brush.limb(leg.knee, end, knee * girth, hem * girth, colour, SHINS, hem=True)
    thigh = brush.limb(leg.hip, leg.knee, 0.061 * girth, knee * girth, colour, THIGHS)
    # Folds behind the knee and over the shoe.
    canvas.darken(shin.piece(0.0, 0.07), 26)
    canvas.darken(shin.piece(0.86, 0.93, -0.8, 0.9), 30)
    if bottom.side_stripe and leg.side * view.sin < 0.3:
        outer = leg.side if (view.cos >= 0) == (thigh.across[0] >= 0) else -leg.side
        edge = outer * min(0.8, max(0.12, abs(view.cos)))
        canvas.fill(thigh.piece(0, 1, edge - 0.2, edge + 0.2), accent, THIGHS)
        canvas.fill(shin.piece(0, 1, edge - 0.2, edge + 0.2), accent, SHINS)
    if bottom.cuff:
        canvas.fill(shin.piece(0.9, 1.03), accent, SHINS)


def draw_hips(brush: Brush) -> None:
    """Seat of the trousers, or the skirt over both legs."""
    body, bottom, hip = brush.person.body, brush.person.bottom, brush.pose.hip
    wide = 0.4 + 0.6 * body.width
    waist, seat = 0.092 * wide, (0.106 if body.female else 0.1) * wide
    if bottom.kind not in SKIRT_END:
        rings = [
            (hip - 0.075, waist, 0.068 * wide),
            (hip - 0.01, seat, 0.08 * wide),
            (hip + 0.035, seat * 0.98, 0.074 * wide),
        ]
        brush.shade(brush.stack(rings, bottom.colour, THIGHS), 0.8)
        return
    end = SKIRT_END[bottom.kind]
    width = seat * 1.22
    depth = seat * 0.85 + 0.55 * max(abs(leg.knee[2]) for leg in brush.pose.legs)
    rings = [
        (hip - 0.08, waist, waist * 0.72),
        (hip, seat, seat * 0.8),
        ((hip + end) / 2, (seat + width) / 2, (seat * 0.8 + depth) / 2),
        (end, width, depth),
    ]
    stack = brush.stack(rings, bottom.colour, THIGHS)
    if end > KNEE:
        brush.patch(stack, FULL, (KNEE, end), bottom.colour, SHINS)
    brush.shade(stack)
    for fold in (-0.9, -0.3, 0.35, 0.95):
        brush.canvas.darken(stack.lane(fold, fold + 0.12), 14)
    if bottom.side_stripe:
        part = SHINS if end > KNEE else THIGHS
        brush.patch(stack, FULL, (end - 0.022, end), bottom.accent, part)


def draw_arm(brush: Brush, arm: Arm, dim: float) -> None:
    """One arm from shoulder to fingertips, darker by the factor ``dim``."""
    body, top = brush.person.body, brush.person.top
    girth, skin, colour = 0.6 + 0.4 * body.width, tone(body.skin, dim), tone(_sleeve(top), dim)
    brush.limb(arm.wrist, arm.tip, 0.0155, 0.0125, skin, ARMS)
    if top.sleeve == "long":
        thick = girth * (1.14 if top.cut in ("jacket", "coat", "hoodie") else 1.0)
        elbow = 0.031 * thick
        fore = brush.limb(arm.elbow, arm.wrist, elbow, 0.024 * thick, colour, ARMS, hem=True)
        _rings(brush, fore, dim)
        upper = brush.limb(arm.shoulder, arm.elbow, 0.0375 * thick, elbow, colour, ARMS)
        _rings(brush, upper, dim)
        return
    brush.limb(arm.elbow, arm.wrist, 0.0235 * girth, 0.0165 * girth, skin, ARMS)
    brush.limb(arm.shoulder, arm.elbow, 0.031 * girth, 0.0245 * girth, skin, ARMS)
    if top.sleeve == "short":
        end, wide = _between(arm.shoulder, arm.elbow, 0.82), 0.038 * girth
        short = brush.limb(arm.shoulder, end, wide, wide * 0.97, colour, ARMS, hem=True)
        _rings(brush, short, dim)


def _sleeve(top: Top) -> Colour:
    """A vest's sleeves are the shirt's under it; some garments have sleeves of another colour."""
    if top.cut == "vest":
        return top.inner
    if top.pattern == "yoke" or (top.other_sleeves and top.pattern != "plain"):
        return top.accent
    return top.colour


def _rings(brush: Brush, limb: Limb, dim: float) -> None:
    """The garment's stripes, around the sleeve."""
    top = brush.person.top
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
