"""How the body is held: joints of one moment of walking or standing."""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

from mfa.synthetic.figure.solids import Place
from mfa.synthetic.identity import Body, Identity

THIGH, SHIN, FOOT = 0.235, 0.232, 0.07
UPPER_ARM, FOREARM, HAND = 0.158, 0.138, 0.052
ANKLE = 0.042
"""Segment lengths and the ankle's height over the sole, shares of body height."""


class Leg(NamedTuple):
    """Joints of one leg; ``side`` is the sign of its x."""

    side: int
    hip: Place
    knee: Place
    ankle: Place
    toe: Place


class Arm(NamedTuple):
    """Joints of one arm."""

    side: int
    shoulder: Place
    elbow: Place
    wrist: Place
    tip: Place


class Pose(NamedTuple):
    """Joints, and how far the trunk sinks in the stride (share of body height)."""

    legs: list[Leg]
    arms: list[Arm]
    hip: float
    sink: float


def pose(person: Identity, rng: Random) -> Pose:
    """A moment of walking (three in four) or standing, arms as people hold them."""
    body = person.body
    walking = rng.random() < 0.78
    phase = rng.uniform(0, 2 * math.pi)
    stride = body.swing * (rng.uniform(0.8, 1.1) if walking else 0.12)
    hip = 1 - ANKLE - (THIGH + SHIN) * body.legs
    legs = [_leg(body, side, hip, phase, stride) for side in (-1, 1)]
    # One foot always stands on the ground: a stride lowers the trunk.
    sink = 1 - max(max(leg.ankle[1] + ANKLE, leg.toe[1] + 0.018) for leg in legs)
    legs = [Leg(leg.side, *((x, y + sink, z) for x, y, z in leg[1:])) for leg in legs]
    holds = zip((-1, 1), _holds(person, rng, walking), strict=True)
    arms = [_arm(body, side, sink, phase, stride, hold) for side, hold in holds]
    return Pose(legs, arms, hip + sink, sink)


def _bone(start: Place, x: float, length: float, angle: float) -> Place:
    """The end, at column ``x``, of a bone that points ``angle`` forward of straight down."""
    return x, start[1] + length * math.cos(angle), start[2] + length * math.sin(angle)


def _leg(body: Body, side: int, height: float, phase: float, stride: float) -> Leg:
    moment = phase if side > 0 else phase + math.pi
    thigh = stride * math.sin(moment) + 0.3 * stride * stride
    # The knee bends while the leg swings forward, most when it passes under the hip.
    shin = thigh - (0.05 + 2.1 * stride * max(0.0, math.cos(moment + 0.55)) ** 2)
    x = side * 0.047 * (0.4 + 0.6 * body.width)
    hip = (x, height, 0.0)
    knee = _bone(hip, x, THIGH * body.legs, thigh)
    ankle = _bone(knee, x * 0.92, SHIN * body.legs, shin)
    back = min(0.0, shin)  # Heel lifts when the shin points back.
    toe = (
        x * 1.15,
        ankle[1] + 0.026 + FOOT * math.sin(-back) * 0.7,
        ankle[2] + FOOT * math.cos(back * max(0.0, 0.45 + 0.75 * back + 0.6)),
    )
    return Leg(side, hip, knee, ankle, toe)


def _holds(person: Identity, rng: Random, walking: bool) -> list[str]:
    """What the left and the right arm do, a key of the table in ``_arm``."""
    loose = "swing" if walking else "hang"

    def free() -> str:
        roll = rng.random()
        if roll < 0.08:
            return "phone"
        if roll < (0.14 if walking else 0.4):
            return "pocket"
        return "strap" if person.bag.kind == "backpack" and roll < 0.24 else loose

    holds = [free(), free()]
    if holds[0] == "phone":
        holds[1] = loose
    if person.bag.kind in ("handbag", "tote"):
        crook = person.bag.kind == "handbag" and person.bag.size > 1.05
        holds[(person.bag.side + 1) // 2] = "crook" if crook else "hang"
    return holds


def _arm(body: Body, side: int, sink: float, phase: float, stride: float, hold: str) -> Arm:
    swing = math.sin(phase + math.pi if side > 0 else phase)
    upper, bend, out, inward = {
        # Angle of the upper arm forward, flexion of the elbow, elbow outwards, wrist inwards.
        "swing": (0.95 * stride * swing - 0.07, 0.2 + 0.6 * stride * (1 + swing), 0.024, 0.006),
        "hang": (-0.04 + 0.2 * stride * swing, 0.16, 0.024, 0.006),
        "phone": (0.38, 1.95, 0.03, 0.05),
        "pocket": (-0.42, 0.85, 0.06, 0.035),
        "strap": (0.12, 2.35, 0.045, 0.06),
        "crook": (-0.1, 1.6, 0.035, 0.02),
    }[hold]
    x = 0.099 * (0.35 + 0.65 * body.width) * (0.93 if body.female else 1.0)
    shoulder = (side * x, 0.207 + sink, 0.0)
    elbow = _bone(shoulder, side * (x + out), UPPER_ARM, upper)
    wrist = _bone(elbow, side * (x + out - inward), FOREARM, upper + bend)
    tip = _bone(wrist, wrist[0] - side * 0.004, HAND, upper + bend + 0.15)
    return Arm(side, shoulder, elbow, wrist, tip)
