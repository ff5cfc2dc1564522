"""Maps and what the lens found, as cards."""

from __future__ import annotations

import numpy as np

from mfa.explain.correspondence import Correspondence
from mfa.explain.record import FUSED, BranchMaps, shared_limit
from viz.apps.core.images import laid_over
from viz.apps.widgets import Item


def map_cards(
    maps: BranchMaps, picture: np.ndarray, opacity: float
) -> tuple[list[bytes], list[Item]]:
    """One card a branch and one for the fused map, on one scale."""
    images, items = [], []
    names = [*maps.branches, FUSED] if len(maps.branches) > 1 else list(maps.branches)
    limit = _raw_limit(maps)
    for name in names:
        mean = name == FUSED and maps.fusing == "mean"
        images.append(
            laid_over(
                picture,
                maps.raw[name][0],
                1.0 if mean else limit,
                opacity=opacity,
                stripe=maps.stripes.get(name),
            )
        )
        empty = " (empty)" if maps.empty[name][0] else ""
        part = f"{maps.scores[name][0]:+.2f}"
        words = f"{name} map, {part} of the score"
        items.append(Item(kind="plain", title=name + empty, sub=part, alt=words))
    return images, items


def _raw_limit(maps: BranchMaps) -> float:
    names = maps.branches if maps.fusing == "mean" else (*maps.branches, FUSED)
    return shared_limit([maps.raw[name] for name in names])


def lens_cards(
    found: Correspondence, picture: np.ndarray, size: tuple[int, int]
) -> tuple[list[bytes], list[Item]]:
    """One card a branch: where it finds the place in the other picture, with a cross at its peak.

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
        images.append(laid_over(picture, heat, limit, mark=mark))
        words = f"where {name} finds the place: row {row}, column {column}"
        items.append(Item(kind="plain", title=name, sub=f"{heat.sum():+.4f}", alt=words))
    return images, items
