"""Maps and correspondences as cards, with the words that belong to each method."""

from __future__ import annotations

import numpy as np

from mfa.explain.correspondence import Correspondence
from mfa.explain.record import FUSED, BranchMaps, shared_limit
from viz.apps.core.images import laid_over
from viz.apps.widgets import Item

SIGNED = "Red argues for, blue against. The number under a map is the sum of its pixels"
WORDS = {
    "HiResCAM": f"{SIGNED}; with the bias of BNNeck these sums are the score.",
    "RandomCAM": "The weights of the channels are drawn by chance. This is a control: a map that "
    "looks as good as this one says nothing.",
    "EigenCAM": "The strongest pattern of the map, whatever is explained: the score plays no part, "
    "and the sign means nothing.",
    "FEM": "The places where channels are unusually active, whatever is explained: the score plays "
    "no part.",
    "EigenGradCAM": "The strongest pattern of the map times its gradient; the sign means nothing.",
    "ScoreCAM": "Each channel is weighted by the score that the picture gets when the channel "
    "alone is left to see.",
    "AblationCAM": "Each channel is weighted by what the score loses without it.",
}
SAME = {"KPCA_CAM": "EigenCAM", "SegEigenCAM": "EigenGradCAM"}
"""Methods that are read like another one."""


def words_of(method: str) -> str:
    """How the maps of a method are read."""
    return WORDS.get(
        SAME.get(method, method),
        f"{SIGNED}, as {method} weighs them; they do not add up to the score.",
    )


def map_cards(
    maps: BranchMaps, picture: np.ndarray, opacity: float
) -> tuple[list[bytes], list[Item]]:
    """One card per branch and one for the fused map, on one scale."""
    images, items = [], []
    names = [*maps.branches, FUSED] if len(maps.branches) > 1 else list(maps.branches)
    signed = maps.sign == "argues"
    alone = maps.fusing == "mean"
    limit = shared_limit([maps.raw[n] for n in (maps.branches if alone else names)])
    for name in names:
        heat, mean = maps.raw[name][0], alone and name == FUSED
        image = laid_over(
            picture,
            heat,
            1.0 if mean else limit,
            grid=maps.grids[name],
            opacity=opacity,
            stripe=maps.stripes.get(name),
        )
        images.append(image)
        empty = " (empty)" if maps.empty[name][0] else ""
        number = f"{heat.sum():+.2f}" if signed and not mean else ""
        words = f"{name} map{f', its pixels sum to {number}' if number else ''}"
        items.append(Item(kind="plain", title=name + empty, sub=number, alt=words))
    return images, items


def correspondence_cards(
    found: Correspondence, picture: np.ndarray, size: tuple[int, int]
) -> tuple[list[bytes], list[Item]]:
    """One card per branch: where it finds the place, with a cross at its peak.

    Args:
        found: with peaks in pixels of the network's input.
        picture: the other picture (H, W, 3), of any size.
        size: (height, width) of the network's input.
    """
    limit = shared_limit(list(found.maps.values()))
    images, items = [], []
    for name, heat in found.maps.items():
        row, column = found.peaks[name]
        place = (row * picture.shape[0] // size[0], column * picture.shape[1] // size[1])
        mark = place if heat.max() > 0 else None
        images.append(laid_over(picture, heat, limit, grid=found.grids[name], mark=mark))
        words = f"where {name} finds the place: row {row}, column {column}"
        items.append(Item(kind="plain", title=name, sub=f"{heat.sum():+.4f}", alt=words))
    return images, items
