"""Maps of a pair for any model that embeds pictures: which places bring the two together?

Parts of one picture are hidden behind its mean colour, the model embeds it again, and the cosine to
the other picture is the mask's score. The map is the mean of the masks, each weighed by its score
(Petsiuk et al. 2018, RISE). So no gradient is needed, and a file of ONNX or OpenVINO is explained
like a network of our own.

[reconstructed] What departs from RISE: the score is a cosine, and both pictures get a map, each
with the other one whole; the masks' mean is subtracted, so that a map has a sign; and the masks are
not drawn. One block of masks is a Hadamard matrix with its complement, so that every place is shown
as often as hidden, and as often with as without any other. Effects of single places are then exact
up to interactions of three. Each further block lies on a grid shifted by less than a cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import hadamard

from mfa.errors import InputError
from mfa.explain.geometry import Axis, MapGrid
from mfa.explain.inputs import as_images_with_cameras
from mfa.explain.pictures import read_picture
from mfa.inference.external import External, from_run
from mfa.progress import Progress, reporting
from mfa.retrieval.distances import normalised
from mfa.runs.run import Run

CELLS = (8, 4)
"""Rows and columns of places that are shown or hidden: 64 masks in a block."""

BLOCKS = 1
"""Blocks by default."""

SHUFFLES = 3
"""Controls per picture: the same masks, their scores dealt out anew."""

STEPS = (0.7549, 0.5698)
"""Shifts of one block's grid against the last, in cells: the plane's low-discrepancy sequence of
smallest period (the plastic number's powers)."""


@dataclass(frozen=True, eq=False)
class SideMaps:
    """One picture of a pair.

    Attributes:
        picture: (3, H, W) uint8, at the model's size.
        map: (H, W) float32, the change of the cosine where a place is shown instead of hidden.
        shuffled: (``SHUFFLES``, H, W), the same sums with each score given to another mask.
    """

    picture: np.ndarray
    map: np.ndarray
    shuffled: np.ndarray


@dataclass(frozen=True, eq=False)
class PairMaps:
    """Two pictures, and what of either brings them together.

    Attributes:
        query: the first picture.
        gallery: the second.
        score: cosine of the two whole pictures.
        masks: how many hid parts of each picture.
        model: name of what was explained.
    """

    query: SideMaps
    gallery: SideMaps
    score: float
    masks: int
    model: str

    @property
    def sides(self) -> dict[str, SideMaps]:
        """Both pictures by name."""
        return {"query": self.query, "gallery": self.gallery}


def pair_maps(
    model: External | Run,
    query: Any,
    gallery: Any,
    *,
    blocks: int = BLOCKS,
    cells: tuple[int, int] = CELLS,
    seed: int = 0,
    progress: bool | Progress = False,
) -> PairMaps:
    """Maps of both pictures of a pair; the last of ``improving_pair_maps``.

    Arguments and errors are those; ``progress`` as in ``mfa.progress``.
    """
    steps = improving_pair_maps(model, query, gallery, blocks=blocks, cells=cells, seed=seed)
    with reporting(progress, "masks") as report:
        found = next(steps)
        for done, further in enumerate(steps, start=2):
            report(done / blocks)
            found = further
    return found


def improving_pair_maps(
    model: External | Run,
    query: Any,
    gallery: Any,
    *,
    blocks: int = BLOCKS,
    cells: tuple[int, int] = CELLS,
    seed: int = 0,
) -> Iterator[PairMaps]:
    """Maps of a pair after each block of masks; leave the loop when they are good enough.

    Args:
        model: an external model (``mfa.load_external``, ``mfa.from_callable``) or a run.
        query: a picture (H, W, 3), or the path of one; resized to the model's size.
        gallery: the same.
        blocks: of masks; each embeds both pictures twice as often as the power of two that reaches
            the number of cells: 64 times for 8x4.
        cells: rows and columns of places.
        seed: of the order in which places are hidden together.

    Raises:
        InputError: a model that embeds no pictures, no picture, or numbers out of range.
    """
    embedder = as_external(model)
    if blocks < 1 or min(cells) < 1 or max(cells) > 32:
        raise InputError(f"blocks are 1 or more and cells 1 to 32 a side, got {blocks} and {cells}")
    given = (("query", query), ("gallery", gallery))
    pictures = [as_pixels(picture, embedder, side) for side, picture in given]
    return _improving(embedder, pictures, blocks, cells, seed)


def _improving(
    model: External, pictures: list[np.ndarray], blocks: int, cells: tuple[int, int], seed: int
) -> Iterator[PairMaps]:
    rng = np.random.default_rng(seed)
    whole = normalised(model.embed(np.stack(pictures)))
    totals = [np.zeros((1 + SHUFFLES, *model.size), np.float32) for _ in pictures]
    masks = 0
    for block in range(blocks):
        grid = shifted_grid(cells, block)
        for picture, other, total in zip(pictures, whole[::-1], totals, strict=True):
            signs = balanced_signs(cells, rng)
            hidden = veil(picture, grid.enlarge(signs / 2 + 0.5, model.size))
            scores = normalised(model.embed(hidden)) @ other
            dealt = [scores, *(rng.permutation(scores) for _ in range(SHUFFLES))]
            effects = np.tensordot(np.stack(dealt), signs, 1) * (2 / len(signs))
            total += grid.enlarge(effects, model.size)
        masks += len(signs)
        query, gallery = (
            SideMaps(picture, total[0] / (block + 1), total[1:] / (block + 1))
            for picture, total in zip(pictures, totals, strict=True)
        )
        yield PairMaps(query, gallery, float(whole[0] @ whole[1]), masks, model.name)


def balanced_signs(cells: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Which cells each mask of a block shows (+1) and hides (-1), (N, rows, columns).

    Columns of a Hadamard matrix in any order and sign, and their complement: any two cells stand in
    each of their four states equally often (Plackett and Burman 1946), and any three are balanced,
    too, by the complement.
    """
    count = cells[0] * cells[1]
    order = 1 << (count - 1).bit_length()
    columns = hadamard(order)[:, rng.permutation(order)[:count]] * rng.choice((-1, 1), count)
    signs: np.ndarray = np.concatenate([columns, -columns]).astype(np.float32)
    return signs.reshape(-1, *cells)


def shifted_grid(cells: tuple[int, int], block: int) -> MapGrid:
    """The grid of a block: even for the first, then moved by up to half a cell each way."""
    moves = ((0.5 + block * step) % 1 for step in STEPS)
    return MapGrid(
        *(Axis(move / count, 1 / count, count) for move, count in zip(moves, cells, strict=True))
    )


def veil(picture: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """A picture (3, H, W) uint8 behind masks (N, H, W), 1 shown and 0 the mean colour."""
    mean = picture.mean(axis=(1, 2), keepdims=True, dtype=np.float32)
    shown = mean + masks[:, None] * (picture - mean)
    veiled: np.ndarray = np.rint(shown).astype(np.uint8)
    return veiled


def as_external(model: External | Run) -> External:
    """The model as something that embeds pictures.

    Raises:
        InputError: it is neither an external model nor a run.
    """
    if isinstance(model, External):
        return model
    if isinstance(model, Run):
        return from_run(model)
    raise InputError(
        f"{type(model).__name__} embeds no pictures",
        "give mfa.load_external(FILE), mfa.from_callable(FUNCTION) or mfa.open_run(RUN)",
    )


def as_pixels(picture: Any, model: External, side: str) -> np.ndarray:
    """A picture or its path as (3, H, W) uint8 at the model's size.

    Raises:
        InputError: it cannot be read as one; ``side`` names it.
    """
    array = read_picture(picture, (), side, model.size)
    fitted = as_images_with_cameras(array, model.size).images[0]
    pixels: np.ndarray = (255 * fitted).round().byte().numpy()
    return pixels
