"""Maps and correspondences as cards, with the words that belong to each method."""

from __future__ import annotations

import numpy as np

from mfa.explain.correspondence import Correspondence
from mfa.explain.record import BranchMaps, shared_limit
from mfa.explain.tables import FUSED
from viz.apps.core.images import laid_over
from viz.apps.widgets import Item

ABOUT = {
    "RandomCAM": "The weights of the channels are random. This is a control: a map that looks as "
    "good as this one shows nothing.",
    "EigenCAM": "It shows the strongest pattern of the map, whatever is explained.",
    "KPCA_CAM": "It shows the strongest pattern of the map, whatever is explained.",
    "EigenGradCAM": "It shows the strongest pattern of the map times its gradient.",
    "SegEigenCAM": "It shows the strongest pattern of the map times its gradient.",
    "FEM": "It shows where channels are unusually active, whatever is explained.",
    "ScoreCAM": "Each channel is weighted by the score that the picture gets when only this "
    "channel is visible.",
    "AblationCAM": "Each channel is weighted by what the score loses without it.",
}


def words_of(maps: BranchMaps) -> str:
    """How the colours and the numbers of maps are read, and what is special about the method."""
    said = maps.additive and maps.fusing == "sum"
    numbers = "; under a map its sum" if maps.sign == "argues" and not said else ""
    return f"{maps.reading}{numbers}. {ABOUT.get(maps.method, '')}".rstrip()


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
        number = f"{maps.sums[name][0]:+.2f}" if signed and not mean else ""
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
