"""Correspondence: where each branch finds a place of the query in the gallery picture.

The pixels' part of a cosine is a sum over pairs of pixels, one of the query and one of the gallery
picture: (A a) . (A b) / (|q| |g|), where a and b are the pixels' parts of the pooled vectors and A
is the linear part of BNNeck. One pixel of the query leaves a map over the gallery picture (after
Zhu et al. 2019, arXiv 1909.12977). What every picture has at a place hides the rest, so the mean
part of ``reference`` pictures at the same place is subtracted from a and b (ours).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mfa.errors import InputError
from mfa.explain.geometry import MapGrid
from mfa.explain.inputs import as_batch, as_images_with_cameras, input_size, network_of
from mfa.explain.ledger import Decomposed, decompose, means, pull_back
from mfa.explain.tables import FUSED


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Where one place of the query is found in the gallery picture.

    Attributes:
        point: (row, column) in the query picture.
        pixel: (row, column) of the map pixel whose centre is nearest to it.
        maps: for each branch, and ``fused``, the signed parts (h, w) of the cosine that this pixel
            makes together with each pixel of the gallery picture.
        peaks: (row, column) of the highest value in the gallery picture, by name.
        grids: where the pixels of ``maps`` lie in the gallery picture.
        stripes: (top, bottom) of each branch's stripe in shares of the gallery picture's height.
    """

    point: tuple[int, int]
    pixel: tuple[int, int]
    maps: dict[str, np.ndarray]
    peaks: dict[str, tuple[int, int]]
    grids: dict[str, MapGrid]
    stripes: dict[str, tuple[float, float]]


def correspond(
    model: Any,
    query_image: Any,
    gallery_image: Any,
    point: tuple[int, int],
    *,
    reference: Any = None,
) -> Correspondence:
    """Find a place of the query in the gallery picture, branch by branch.

    Args:
        model: a run or a network, as for the ledger.
        query_image: one picture.
        gallery_image: one picture.
        point: (row, column) in pixels of the query picture.
        reference: pictures whose mean part is subtracted on both sides, see ``pair_ledgers``; or
            the mean parts (C, h, w) by branch, see ``mfa.explain.ledger.means``.

    Raises:
        InputError: the point lies outside the picture, or the network has no exact ledger.
    """
    query, gallery = as_batch(query_image), as_batch(gallery_image)
    height, width = query.shape[2:]
    if not (0 <= point[0] < height and 0 <= point[1] < width):
        raise InputError(f"point {point} lies outside the query picture of {height} x {width}")
    one, two, mean = sides_of(model, query_image, gallery_image, reference)
    maps, pixel = {}, (0, 0)
    for name, neck in one.necks.items():
        parts = one.parts[name] - mean[name]
        pixel = one.grids[name].pixel(point, (height, width))
        column = parts[:, :, pixel[0], pixel[1]]
        scaled = moved(neck, column) / (one.lengths * two.lengths)[:, None]
        slope, _ = pull_back(neck, scaled, column[0])
        other = two.parts[name][0] - mean[name]
        maps[name] = torch.einsum("c,chw->hw", slope[0], other).cpu().numpy()
    grids = dict(two.grids)
    if len(maps) > 1:
        maps[FUSED] = np.sum(list(maps.values()), axis=0)
        grids[FUSED] = MapGrid.mean(list(grids.values()))
    shape = (gallery.shape[2], gallery.shape[3])
    peaks = {
        name: grids[name].point(divmod(int(heat.argmax()), heat.shape[1]), shape)
        for name, heat in maps.items()
    }
    return Correspondence(point, pixel, maps, peaks, grids, two.stripes)


def sides_of(
    model: Any, query_image: Any, gallery_image: Any, reference: Any
) -> tuple[Decomposed, Decomposed, Mapping[str, Any]]:
    """Both pictures taken apart, and by branch the mean part to subtract, 0 for no reference."""
    network, size = network_of(model), input_size(model)
    one, two = (
        decompose(network, as_images_with_cameras(s, size)) for s in (query_image, gallery_image)
    )
    if reference is None:
        return one, two, dict.fromkeys(one.necks, 0)
    if isinstance(reference, Mapping):
        return one, two, reference
    return one, two, means(network, as_images_with_cameras(reference, size))[1]


def moved(neck: nn.Module, parts: Tensor) -> Tensor:
    """A p (K, D) for parts p (K, C) of pooled vectors and an affine neck A v + b."""
    with torch.no_grad():
        found: Tensor = neck(parts) - neck(torch.zeros_like(parts))
    return found
