"""How the body is held: joints of one moment of walking or standing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Literal

from mfa.synthetic.figure.solids import Place
from mfa.synthetic.identity import Body, Identity

ArmHold = Literal["swing", "hang", "phone", "pocket", "strap", "crook"]

THIGH, SHIN, FOOT = 0.235, 0.232, 0.07
UPPER_ARM, FOREARM, HAND = 0.158, 0.138, 0.052
ANKLE = 0.042
"""Segment lengths and the ankle's height over the sole, shares of body height."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Joints of one leg; ``side`` is the sign of its x."""

    side: int
    hip: Place
    knee: Place
    ankle: Place
    toe: Place


@dataclass(frozen=True, slots=True)
class Arm:
    """Joints of one arm."""

    side: int
    shoulder: Place
    elbow: Place
    wrist: Place
    tip: Place


@dataclass(frozen=True, slots=True)
class Pose:
    """Joints, and how far the trunk sinks in the stride (share of body height)."""

    legs: tuple[Leg, Leg]
    arms: tuple[Arm, Arm]
    hip: float
    sink: float


def pose(person: Identity, rng: Random) -> Pose:
    """A moment of walking (three in four) or standing, arms as people hold them."""
    walking = rng.random() < 0.78
    phase = rng.uniform(0, 2 * math.pi)
    stride = person.body.swing * (rng.uniform(0.8, 1.1) if walking else 0.12)
    hip = 1 - ANKLE - (THIGH + SHIN) * person.body.legs
    left = _leg(person.body, -1, hip, phase, stride)
    right = _leg(person.body, 1, hip, phase, stride)
    # One foot always stands on the ground: a stride lowers the trunk.
    floor = max(max(leg.ankle[1] + ANKLE, leg.toe[1] + 0.018) for leg in (left, right))
    sink = 1 - floor
    holds = _holds(person, rng, walking)
    arms = (
        _arm(person.body, -1, sink, phase, stride, holds[0]),
        _arm(person.body, 1, sink, phase, stride, holds[1]),
    )
    return Pose((_sunk(left, sink), _sunk(right, sink)), arms, hip + sink, sink)


def _leg(body: Body, side: int, hip: float, phase: float, stride: float) -> Leg:
    moment = phase if side > 0 else phase + math.pi
    thigh = stride * math.sin(moment) + 0.3 * stride * stride
    # The knee bends while the leg swings forward, most when it passes under the hip.
    bend = 0.05 + 2.1 * stride * max(0.0, math.cos(moment + 0.55)) ** 2
    shin = thigh - bend
    x = side * 0.047 * (0.4 + 0.6 * body.width)
    up, low = THIGH * body.legs, SHIN * body.legs
    knee = (x, hip + up * math.cos(thigh), up * math.sin(thigh))
    ankle = (x * 0.92, knee[1] + low * math.cos(shin), knee[2] + low * math.sin(shin))
    flex = 0.45 + 0.75 * min(0.0, shin)  # Heel lifts when the shin points back.
    toe = (
        x * 1.15,
        ankle[1] + 0.026 + FOOT * math.sin(-min(0.0, shin)) * 0.7,
        ankle[2] + FOOT * math.cos(min(0.0, shin) * max(0.0, flex + 0.6)),
    )
    return Leg(side, (x, hip, 0.0), knee, ankle, toe)


def _sunk(leg: Leg, sink: float) -> Leg:
    def down(place: Place) -> Place:
        return place[0], place[1] + sink, place[2]

    return Leg(leg.side, down(leg.hip), down(leg.knee), down(leg.ankle), down(leg.toe))


def _holds(person: Identity, rng: Random, walking: bool) -> tuple[ArmHold, ArmHold]:
    def free() -> ArmHold:
        roll = rng.random()
        if roll < 0.08:
            return "phone"
        if roll < (0.14 if walking else 0.4):
            return "pocket"
        if person.bag.kind == "backpack" and roll < 0.24:
            return "strap"
        return "swing" if walking else "hang"

    holds = [free(), free()]
    if holds[0] == "phone":
        holds[1] = "swing" if walking else "hang"
    if person.bag.kind == "handbag":
        holds[(person.bag.side + 1) // 2] = "crook" if person.bag.size > 1.05 else "hang"
    if person.bag.kind == "tote":
        holds[(person.bag.side + 1) // 2] = "hang"
    return holds[0], holds[1]


def _arm(body: Body, side: int, sink: float, phase: float, stride: float, hold: ArmHold) -> Arm:
    moment = phase + math.pi if side > 0 else phase
    swing = math.sin(moment)
    upper, bend, out = {
        # Angle of the upper arm forward, flexion of the elbow, elbow outwards.
        "swing": (0.95 * stride * swing - 0.07, 0.2 + 0.6 * stride * (1 + swing), 0.024),
        "hang": (-0.04 + 0.2 * stride * swing, 0.16, 0.024),
        "phone": (0.38, 1.95, 0.03),
        "pocket": (-0.42, 0.85, 0.06),
        "strap": (0.12, 2.35, 0.045),
        "crook": (-0.1, 1.6, 0.035),
    }[hold]
    shoulder_x = 0.099 * (0.35 + 0.65 * body.width) * (0.93 if body.female else 1.0)
    shoulder = (side * shoulder_x, 0.207 + sink, 0.0)
    inward = {"phone": 0.05, "strap": 0.06, "pocket": 0.035, "crook": 0.02}.get(hold, 0.006)
    elbow = (
        side * (shoulder_x + out),
        shoulder[1] + UPPER_ARM * math.cos(upper),
        UPPER_ARM * math.sin(upper),
    )
    fore = upper + bend
    wrist = (
        side * (shoulder_x + out - inward),
        elbow[1] + FOREARM * math.cos(fore),
        elbow[2] + FOREARM * math.sin(fore),
    )
    tip = (
        wrist[0] - side * 0.004,
        wrist[1] + HAND * math.cos(fore + 0.15),
        wrist[2] + HAND * math.sin(fore + 0.15),
    )
    return Arm(side, shoulder, elbow, wrist, tip)
