"""Point to point: where each branch finds a place of the query in the gallery picture.

The pixels' part of a cosine is a sum over pairs of pixels, one of the query and one of the gallery
picture: (A a) . (A b) / (|q| |g|), with a and b the pixels' parts of the pooled vectors and A the
linear part of BNNeck. For one pixel of the query that leaves a map over the gallery picture (after
Zhu et al. 2019, arXiv 1909.12977). What every picture has at a place, above all at its borders, is
found everywhere and hides the rest; with ``baseline`` pictures a and b are told against the mean
part of those pictures at the same place (ours).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from mfa.errors import InputError
from mfa.explain.inputs import as_batch, as_images_with_cameras, enlarge, input_size, network_of
from mfa.explain.ledger import decompose, mean_parts, pull_back
from mfa.explain.record import FUSED, shared_limit
from viz import theme
from viz.grids.maps import add_scale, as_pictures, outline, show
from viz.images import overlay


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Where one place of the query is found in the gallery picture.

    Attributes:
        point: (row, column) in the query picture.
        pixel: (row, column) of the map pixel that covers it.
        maps: for each branch, and ``fused``, the signed parts (h, w) of the cosine that this pixel
            makes together with each pixel of the gallery picture.
        peaks: (row, column) of the highest value in the gallery picture, by name.
        stripes: outlines by branch.
    """

    point: tuple[int, int]
    pixel: tuple[int, int]
    maps: dict[str, np.ndarray]
    peaks: dict[str, tuple[int, int]]
    stripes: dict[str, tuple[float, float]]


def correspond(
    model: Any,
    query_image: Any,
    gallery_image: Any,
    point: tuple[int, int],
    *,
    baseline: Any = None,
) -> Correspondence:
    """Find a place of the query in the gallery picture, branch by branch.

    Args:
        model: a run or a network, as for the ledger.
        query_image: one picture.
        gallery_image: one picture.
        point: (row, column) in pixels of the query picture.
        baseline: pictures whose mean both sides are told against, see ``mfa.pair_ledgers``; or
            the mean parts (C, h, w) by branch, see ``mfa.explain.ledger.mean_parts``.

    Raises:
        InputError: the point lies outside the picture, or the network has no exact ledger.
    """
    network, size = network_of(model), input_size(model)
    query, gallery = as_batch(query_image), as_batch(gallery_image)
    height, width = query.shape[2:]
    if not (0 <= point[0] < height and 0 <= point[1] < width):
        raise InputError(f"point {point} lies outside the query picture of {height} x {width}")
    one, two = (
        decompose(network, as_images_with_cameras(s, size)) for s in (query_image, gallery_image)
    )
    means = baseline
    if baseline is not None and not isinstance(baseline, Mapping):
        means = mean_parts(network, as_images_with_cameras(baseline, size))
    maps, pixel = {}, (0, 0)
    for name, neck in one.necks.items():
        mean = 0 if means is None else means[name]
        parts = one.parts[name] - mean
        pixel = (
            point[0] * parts.shape[2] // height,
            point[1] * parts.shape[3] // width,
        )
        column = parts[:, :, pixel[0], pixel[1]]
        with torch.no_grad():
            moved = neck(column) - neck(torch.zeros_like(column))
        slope, _ = pull_back(neck, moved / (one.lengths * two.lengths)[:, None], column[0])
        maps[name] = torch.einsum("c,chw->hw", slope[0], two.parts[name][0] - mean).cpu().numpy()
    if len(maps) > 1:
        maps[FUSED] = np.sum(list(maps.values()), axis=0)
    shape = (gallery.shape[2], gallery.shape[3])
    peaks = {name: _peak(enlarge(heat[None], shape)[0]) for name, heat in maps.items()}
    return Correspondence(point, pixel, maps, peaks, dict(network.stripes))


@theme.themed
def draw_correspondence(
    found: Correspondence,
    query_image: Any,
    gallery_image: Any,
    *,
    width: theme.Width | float = "double",
) -> Figure:
    """The query with its point, and the gallery picture with each branch's map and its peak.

    Args:
        found: of ``correspond``.
        query_image: the same query.
        gallery_image: the same gallery picture.
        width: of the figure.
    """
    query, gallery = as_pictures(query_image)[0], as_pictures(gallery_image)[0]
    columns = len(found.maps) + 1
    cell = (theme.inches(width) - 1.0) / columns
    figure = theme.figure(width, cell * gallery.shape[0] / gallery.shape[1] + 0.5)
    axes = figure.subplots(1, columns, squeeze=False)
    show(axes[0, 0], query)
    points = theme.fitted(cell, 9)
    axes[0, 0].set_title("query", fontsize=points)
    _mark(axes[0, 0], found.point)
    limit = shared_limit(list(found.maps.values()))
    for axis, (name, heat) in zip(axes[0, 1:], found.maps.items(), strict=True):
        large = enlarge(heat[None], gallery.shape[:2])[0]
        show(axis, overlay.overlay(gallery, large, limit=limit))
        if name in found.stripes:
            outline(axis, found.stripes[name], gallery.shape[:2])
        if heat.max() > 0:
            _mark(axis, found.peaks[name])
        axis.set_title(name, fontsize=points)
        axis.set_xlabel(f"{heat.sum():+.4f}", labelpad=1, fontsize=points)
    add_scale(figure, axes, limit, "part of the cosine")
    return figure


def _mark(axis: Any, place: tuple[int, int]) -> None:
    axis.plot(place[1], place[0], "+", color="white", markersize=9, markeredgewidth=3)
    axis.plot(place[1], place[0], "+", color="black", markersize=8, markeredgewidth=1.2)


def _peak(heat: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    return int(row), int(column)
