"""Who a person is: everything that stays the same from camera to camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from mfa.synthetic.palette import CLOTH, HAIR, LOWER, SKIN, UPPER, Colour, jitter


@dataclass(frozen=True, slots=True)
class Body:
    """Build and gait.

    ``width``, ``legs``, ``height`` and ``head`` are factors around 1; ``swing`` is the amplitude of
    the thigh in radians.
    """

    female: bool
    width: float
    legs: float
    height: float
    head: float
    swing: float
    skin: Colour


@dataclass(frozen=True, slots=True)
class Head:
    """Hair and what is worn on the head."""

    style: str
    hair: Colour
    fringe: bool
    beard: bool
    glasses: bool
    hat: str
    hat_colour: Colour


@dataclass(frozen=True, slots=True)
class Top:
    """Upper garment. ``period`` and the print's size and place are shares of body height."""

    cut: str
    sleeve: str
    pattern: str
    colour: Colour
    accent: Colour
    inner: Colour
    other_sleeves: bool
    hem: float
    period: float
    print_size: tuple[float, float]
    print_height: float
    print_round: bool


@dataclass(frozen=True, slots=True)
class Bottom:
    """Lower garment, legs and shoes. ``hose``: colour of tights, ``None`` for bare legs."""

    kind: str
    colour: Colour
    accent: Colour
    side_stripe: bool
    cuff: bool
    belt: bool
    hose: Colour | None
    shoe: Colour
    boot: bool
    pale_sole: bool


@dataclass(frozen=True, slots=True)
class Bag:
    """What is carried, and on which side (-1 or 1)."""

    kind: str
    colour: Colour
    size: float
    side: int


@dataclass(frozen=True, slots=True)
class Identity:
    """One person."""

    body: Body
    head: Head
    top: Top
    bottom: Bottom
    bag: Bag
    scarf: Colour | None


def _pick(rng: Random, **weights: float) -> str:
    return rng.choices(tuple(weights), tuple(weights.values()))[0]


def _cloth(rng: Random, **weights: float) -> Colour:
    return jitter(rng, CLOTH[_pick(rng, **weights)], 9)


def group_colours(group: int) -> tuple[str, str]:
    """Names of the upper and lower garment colour of a group; 48 pairs before they repeat."""
    return UPPER[group % len(UPPER)], LOWER[(group + group // len(UPPER)) % len(LOWER)]


@lru_cache(maxsize=4096)
def identity(pid: int, groups: int, seed: int) -> Identity:
    """The person called ``pid``: the same for the same three numbers."""
    rng = Random(f"{seed}/person/{pid}")
    upper, lower = group_colours(rng.randrange(groups))
    female = rng.random() < 0.5
    return Identity(
        body=_body(rng, female),
        head=_head(rng, female),
        top=_top(rng, upper),
        bottom=_bottom(rng, lower, female),
        bag=_bag(rng),
        scarf=_cloth(rng, red=1, grey=1, yellow=1, teal=1) if rng.random() < 0.1 else None,
    )


def _body(rng: Random, female: bool) -> Body:
    return Body(
        female=female,
        width=min(1.35, max(0.82, rng.gauss(0.96 if female else 1.03, 0.12))),
        legs=rng.gauss(1, 0.025),
        height=min(1.05, max(0.9, rng.gauss(0.975 if female else 1.0, 0.035))),
        head=min(1.1, max(0.92, rng.gauss(1, 0.045))),
        swing=rng.uniform(0.24, 0.4),
        skin=jitter(rng, rng.choice(SKIN), 5),
    )


def _head(rng: Random, female: bool) -> Head:
    styles = ("short", "crop", "long", "bob", "tail", "bun", "curly", "bald")
    weights = (1.5, 0.6, 3, 2.2, 2.2, 1, 0.7, 0.1) if female else (5, 3, 0.5, 0.4, 0.3, 0.2, 1, 1.2)
    style, hat = (
        rng.choices(styles, weights)[0],
        _pick(rng, none=7.5, cap=1.1, beanie=0.8, brim=0.4),
    )
    return Head(
        style=style,
        hair=jitter(rng, rng.choices(HAIR, (4, 4, 3, 2, 1.5, 1))[0], 5),
        fringe=rng.random() < (0.5 if female else 0.3),
        beard=not female and rng.random() < 0.25,
        glasses=rng.random() < 0.2,
        hat=hat,
        hat_colour=_cloth(rng, black=1, red=1, white=1, navy=1, khaki=1),
    )


def _top(rng: Random, upper: str) -> Top:
    cut = _pick(rng, shirt=6, hoodie=1.2, jacket=2.2, coat=1.2, vest=0.7)
    sleeve = _pick(rng, short=4, long=5, none=0.7)
    patterns = {"plain": 2.8, "hoops": 1.3, "pinstripe": 0.8, "check": 1.1, "print": 1.5}
    patterns |= {"block": 1.2, "yoke": 1.0, "backprint": 0.9, "bands": 1.0}
    return Top(
        cut=cut,
        sleeve="long" if cut in ("jacket", "coat", "hoodie") else sleeve,
        pattern=_pick(rng, **patterns),
        colour=jitter(rng, CLOTH[upper], 7),
        accent=jitter(rng, CLOTH[rng.choice([name for name in CLOTH if name != upper])], 9),
        inner=_cloth(rng, white=1, grey=1, black=1, red=1, yellow=1, blue=1),
        other_sleeves=rng.random() < 0.2,
        hem=rng.uniform(-0.012, 0.03),
        period=rng.uniform(0.028, 0.062),
        print_size=(rng.uniform(0.3, 0.75), rng.uniform(0.02, 0.05)),
        print_height=rng.uniform(0.235, 0.33),
        print_round=rng.random() < 0.5,
    )


def _bottom(rng: Random, lower: str, female: bool) -> Bottom:
    kinds = {"trousers": 5.0, "slim": 2.5, "shorts": 2.8}
    if female:
        kinds = {"trousers": 3.5, "slim": 3.2, "shorts": 1.8, "skirt": 2.3, "longskirt": 0.9}
    return Bottom(
        kind=_pick(rng, **kinds),
        colour=jitter(rng, CLOTH[lower], 7),
        accent=_cloth(rng, white=1, red=1, yellow=1, grey=1),
        side_stripe=rng.random() < 0.2,
        cuff=rng.random() < 0.15,
        belt=rng.random() < 0.25,
        hose=jitter(rng, CLOTH["black"], 8) if rng.random() < 0.35 else None,
        shoe=_cloth(rng, black=4, white=4, brown=2, red=1, grey=2, blue=1),
        boot=rng.random() < 0.13,
        pale_sole=rng.random() < 0.45,
    )


def _bag(rng: Random) -> Bag:
    return Bag(
        kind=_pick(rng, none=4, backpack=3, handbag=1.4, shoulder=1.6, tote=0.8),
        colour=_cloth(rng, black=3, red=1, navy=1, brown=2, green=1, orange=1, grey=2, teal=1),
        size=rng.uniform(0.8, 1.2),
        side=rng.choice((-1, 1)),
    )
