"""Occlusion edits: parts of a picture painted over, moved, or hidden; pure functions of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from mfa.errors import InputError
from mfa.synthetic.canvas import Canvas
from mfa.synthetic.occluder import draw_occluder

WAYS = ("grey", "blur", "recolour", "noise", "shift")
"""What the brush does: paint out in grey, blur, turn the colours, fill with noise, move away."""

SCENES = ("as it is", "person small in the box", "legs hidden", "others behind")
"""The four scenes of the paper's Fig. 4, (a) to (d), made from any picture [reconstructed]."""

OCCLUDERS = ("none", "car", "bush", "bin", "fence", "planter")


@dataclass(frozen=True)
class Stroke:
    """One movement of the brush; places and radius in shares of the picture's width and height.

    Attributes:
        points: (x, y) pairs.
        radius: in shares of the width.
    """

    points: tuple[tuple[float, float], ...]
    radius: float


def painted(size: tuple[int, int], strokes: Sequence[Stroke]) -> np.ndarray:
    """(H, W) bool: what the strokes cover of a picture of (height, width)."""
    height, width = size
    mask = Image.new("1", (width, height))
    pen = ImageDraw.Draw(mask)
    for stroke in strokes:
        r = stroke.radius * width
        places = [(x * width, y * height) for x, y in stroke.points]
        for x, y in places:
            pen.ellipse((x - r, y - r, x + r, y + r), fill=1)
        if len(places) > 1:
            pen.line(places, fill=1, width=max(1, round(2 * r)))
    return np.asarray(mask)


def brushed(
    picture: np.ndarray,
    strokes: Sequence[Stroke],
    way: str,
    shift: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """A copy of ``picture`` (H, W, 3) uint8, changed in a way of ``WAYS`` under the strokes.

    ``shift`` is (right, down) in shares of the size, for the way ``shift``; blurred surroundings
    stay where the part was.

    Raises:
        InputError: a way that is none of ``WAYS``.
    """
    if way not in WAYS:
        raise InputError(f"the brush can {', '.join(WAYS)}; it cannot {way!r}")
    if not strokes:
        return picture
    mask = painted((picture.shape[0], picture.shape[1]), strokes)
    if way == "shift":
        return _taken_away(picture, mask, shift)
    fillings: dict[str, Callable[[], np.ndarray]] = {
        "grey": lambda: np.full_like(picture, 128),
        "blur": lambda: _blurred(picture, 10),
        "recolour": lambda: picture[:, :, [2, 0, 1]],
        "noise": lambda: np.random.default_rng(0).integers(0, 256, picture.shape).astype(np.uint8),
    }
    result: np.ndarray = np.where(mask[..., None], fillings[way](), picture)
    return result


def _taken_away(picture: np.ndarray, mask: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
    """The covered part somewhere else; what would leave the picture is lost."""
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    down, right = rows + round(shift[1] * height), columns + round(shift[0] * width)
    inside = (down >= 0) & (down < height) & (right >= 0) & (right < width)
    result: np.ndarray = np.where(mask[..., None], _blurred(picture, 4), picture)
    result[down[inside], right[inside]] = picture[rows[inside], columns[inside]]
    return result


def _blurred(picture: np.ndarray, share: float) -> np.ndarray:
    """With a radius of the width over ``share``."""
    radius = ImageFilter.GaussianBlur(picture.shape[1] / share)
    return np.asarray(Image.fromarray(picture).filter(radius))


def moved(picture: np.ndarray, right: float, down: float) -> np.ndarray:
    """The picture shifted by shares of its size; edges are repeated, as a misplaced box shows."""
    height, width = picture.shape[:2]
    rows = np.clip(np.arange(height) - round(down * height), 0, height - 1)
    columns = np.clip(np.arange(width) - round(right * width), 0, width - 1)
    result: np.ndarray = picture[rows][:, columns]
    return result


def hidden(picture: np.ndarray, kind: str, top: float = 0.55) -> np.ndarray:
    """A thing drawn in front of the picture from ``top`` (share of the height) down.

    Raises:
        InputError: none of ``OCCLUDERS``.
    """
    if kind not in OCCLUDERS:
        raise InputError(f"no occluder {kind!r}; there are {', '.join(OCCLUDERS)}")
    if kind == "none":
        return picture
    height, width = picture.shape[:2]
    large = Image.fromarray(picture).resize((4 * width, 4 * height), Image.Resampling.BICUBIC)
    canvas = Canvas(large, Image.new("L", large.size))
    draw_occluder(canvas, Random(0), top, kind)
    drawn = np.asarray(large.resize((width, height), Image.Resampling.BOX))
    front = np.asarray(canvas.parts.resize((width, height), Image.Resampling.BOX)) > 0
    result: np.ndarray = np.where(front[..., None], drawn, picture)
    return result


def scene(picture: np.ndarray, name: str, others: Sequence[np.ndarray] = ()) -> np.ndarray:
    """One of ``SCENES`` made from a picture (H, W, 3) uint8 of a person that fills it.

    ``others`` are pictures of other people, for those behind.

    Raises:
        InputError: no such scene.
    """
    if name not in SCENES:
        raise InputError(f"no scene {name!r}; there are {', '.join(SCENES)}")
    if name == "as it is":
        return picture
    if name == "legs hidden":
        return hidden(picture, "car")
    height, width = picture.shape[:2]
    base = _surroundings(picture)
    if name == "others behind":
        for place, other in enumerate(others[:2]):
            small = _resized(other, (round(0.5 * height), round(0.5 * width)))
            _paste(base, small, round(0.06 * height), 0 if place == 0 else width - small.shape[1])
    share = 0.62 if name == "person small in the box" else 0.8
    person = _resized(picture, (round(share * height), round(share * width)))
    _paste(base, person, height - person.shape[0], (width - person.shape[1]) // 2)
    return base


def _surroundings(picture: np.ndarray) -> np.ndarray:
    """A picture of the same size made of the blurred edges, a background without the person."""
    edges = picture.copy()
    width = picture.shape[1]
    inner = slice(width // 6, width - width // 6)
    edges[:, inner] = edges[:, [width // 12]]
    return _blurred(edges, 12).copy()


def _resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((size[1], size[0])))


def _paste(base: np.ndarray, small: np.ndarray, top: int, left: int) -> None:
    """Lay ``small`` into ``base`` with soft left and right edges."""
    height, width = small.shape[:2]
    ramp = np.minimum(np.arange(width) + 1, width - np.arange(width)) / max(width / 6, 1)
    alpha = np.clip(ramp, 0, 1)[None, :, None]
    part = base[top : top + height, left : left + width]
    part[:] = (alpha * small + (1 - alpha) * part).astype(np.uint8)


@dataclass(frozen=True)
class Edits:
    """Everything that is done to one picture.

    Attributes:
        scene: of ``SCENES``.
        way: what the brush does, of ``WAYS``.
        strokes: of the brush.
        right, down: shift in shares of the size; of what is painted where the brush shifts, else
            of the whole picture.
        occluder: drawn in front, of ``OCCLUDERS``, from ``top`` down.
        top: share of the height.
    """

    scene: str = SCENES[0]
    way: str = WAYS[0]
    strokes: tuple[Stroke, ...] = ()
    right: float = 0.0
    down: float = 0.0
    occluder: str = "none"
    top: float = 0.55

    def of(self, picture: np.ndarray, others: Sequence[np.ndarray] = ()) -> np.ndarray:
        """The edited copy of a picture (H, W, 3) uint8; ``others`` as in ``scene``.

        Raises:
            InputError: an unknown scene, way or occluder.
        """
        edited = scene(picture, self.scene, others)
        shift = (self.right, self.down)
        if self.way != "shift" or not self.strokes:
            edited = moved(edited, *shift)
        return brushed(hidden(edited, self.occluder, self.top), self.strokes, self.way, shift)
