"""One pair explained: the score, branch by branch, pixel by pixel, as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from mfa.datasets import read_image
from mfa.errors import InputError
from mfa.explain.inputs import enlarge, input_size
from mfa.explain.ledger import PairLedger, pair_ledger
from mfa.explain.measure import baseline_pictures
from mfa.explain.record import shared_limit
from mfa.inference.evaluate import resolve
from mfa.records import ReidDataset, Sample
from mfa.runs.run import Run
from viz import theme
from viz.grids.maps import add_scale, as_pictures, outline, show
from viz.images import overlay


def draw_pair(
    run: Any,
    query: Any,
    gallery: Any,
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | None = None,
    baseline: Any = None,
    width: theme.Width | float = "double",
) -> Figure:
    """Why two pictures are as close as they are: signed maps that add up to the cosine.

    Args:
        run: a run or a network.
        query: a picture, a path, or a position in the dataset's query list.
        gallery: the same, of the gallery list.
        data: of which positions count, or its name; by default what the run was trained on.
        data_root: where datasets lie, for a name.
        baseline: see ``mfa.pair_ledgers``; with positions and a run by default some pictures of
            the gallery, else none.
        width: of the figure, a column's name or inches.

    Raises:
        InputError: a position outside its list or without a dataset, or a picture that cannot be
            read.
    """
    found = data
    if isinstance(query, int) or isinstance(gallery, int):
        found = _dataset(run, data, data_root)
    lists = (found.query, found.gallery) if isinstance(found, ReidDataset) else ((), ())
    size = input_size(run)
    pictures = (
        picture_of(query, lists[0], "query", size),
        picture_of(gallery, lists[1], "gallery", size),
    )
    if baseline is None and isinstance(found, ReidDataset) and isinstance(run, Run):
        baseline = baseline_pictures(run, found)
    ledger = pair_ledger(run, *pictures, baseline=baseline)
    stripes = getattr(getattr(run, "model", run), "stripes", {})
    return draw_ledger(ledger, *pictures, stripes=stripes, width=width)


def _dataset(run: Any, data: ReidDataset | str | None, root: Path | None) -> ReidDataset:
    if isinstance(data, ReidDataset):
        return data
    if not isinstance(run, Run):
        raise InputError("a bare network knows no dataset; give pictures, or data=")
    return resolve(run, data, root)


def picture_of(
    given: Any, samples: Sequence[Sample], side: str, size: tuple[int, int] | None = None
) -> np.ndarray:
    """A picture as an array (H, W, 3), from a position, a path or a picture.

    Args:
        given: position in ``samples``, path, or array or tensor.
        samples: the dataset's list.
        side: the list's name, for messages.
        size: (height, width) files are resized to; ``None`` keeps theirs.

    Raises:
        InputError: see ``draw_pair``.
    """
    if isinstance(given, int | np.integer):
        if not 0 <= given < len(samples):
            raise InputError(f"no {side} {given}: the list has 0 to {len(samples) - 1}")
        given = samples[int(given)].path
    if isinstance(given, str) or hasattr(given, "__fspath__"):
        image = read_image(given)
        if size is not None:
            image = image.resize((size[1], size[0]), resample=2)  # 2: bilinear
        return np.asarray(image)
    picture: np.ndarray = as_pictures(given)[0]
    return picture


@theme.themed
def draw_ledger(
    ledger: PairLedger,
    query_image: np.ndarray,
    gallery_image: np.ndarray,
    *,
    stripes: dict[str, tuple[float, float]] | None = None,
    width: theme.Width | float = "double",
) -> Figure:
    """A ledger with its two pictures: maps above, the sum as bars below.

    Every map shares one scale. Under a map stands what its pixels add to the cosine; the bias,
    which they do not bring, has its own bar so that a high cosine is not taken for agreement.

    Args:
        ledger: of the pair.
        query_image: (H, W, 3).
        gallery_image: (H, W, 3).
        stripes: outlines by branch.
        width: of the figure.
    """
    count = len(ledger.branches)
    columns = count + (2 if count > 1 else 1)
    cell = (theme.inches(width) - 1.0) / columns
    tall = sum(cell * side.shape[0] / side.shape[1] for side in (query_image, gallery_image))
    bars = (0.55 if theme.inches(width) > 5 else 0.85) + 0.17 * count
    figure = theme.figure(width, tall + bars + 0.55)
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=(tall + 0.55, bars))
    upper, lower = parts[:, 0]
    points = theme.fitted(cell, 9)
    axes = upper.subplots(2, columns, squeeze=False)
    both = [*side_maps(ledger, "query").values(), *side_maps(ledger, "gallery").values()]
    limit = shared_limit(both)
    sides = (("query", query_image), ("gallery", gallery_image))
    for row, (side, image) in zip(axes, sides, strict=True):
        _draw_side(row, side, as_pictures(image)[0], ledger, limit, stripes or {}, points)
    axes[0, 0].set_title(theme.wrapped(f"cosine {ledger.score:.3f}", cell, points), fontsize=points)
    add_scale(upper, axes, limit, "part of the cosine at a map pixel")
    _draw_bars(lower, ledger, theme.inches(width))
    return figure


def side_maps(ledger: PairLedger, side: str) -> dict[str, np.ndarray]:
    """Each branch's map (h, w) over one side's pixels, and their sum as ``fused``."""
    maps = {name: getattr(part, f"{side}_map") for name, part in ledger.branches.items()}
    if len(maps) == 1:
        return maps
    return {**maps, "fused": np.sum(list(maps.values()), axis=0)}


def _draw_side(
    row: np.ndarray,
    side: str,
    image: np.ndarray,
    ledger: PairLedger,
    limit: float,
    stripes: dict[str, tuple[float, float]],
    points: float,
) -> None:
    show(row[0], image)
    row[0].set_ylabel(side)
    for axis, (name, heat) in zip(row[1:], side_maps(ledger, side).items(), strict=True):
        large = enlarge(heat[None], image.shape[:2])[0]
        show(axis, overlay.overlay(image, large, limit=limit))
        if name in stripes:
            outline(axis, stripes[name], image.shape[:2])
        if side == "query":
            axis.set_title(name, fontsize=points)
        axis.set_xlabel(f"{heat.sum():+.3f}", labelpad=1, fontsize=points)


def _draw_bars(figure: SubFigure, ledger: PairLedger, width: float) -> None:
    axis: Axes = figure.subplots()
    table = ledger.table()
    names = list(table["branch"])
    for number, pixels, bias in zip(
        range(len(table)), table["query_pixels"], table["query_bias"], strict=True
    ):
        colour = theme.PALETTE[number % len(theme.PALETTE)]
        axis.barh(number - 0.18, pixels, height=0.34, color=colour)
        axis.barh(number + 0.18, bias, height=0.34, color="white", edgecolor=colour, hatch="////")
    axis.axvline(0, color="black", linewidth=0.7)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.grid(visible=False, axis="y")
    pixels, bias = table["query_pixels"].sum(), table["query_bias"].sum()
    origin = "average picture" if ledger.centred else "bias of BNNeck"
    words = (
        f"query's pixels (filled) {pixels:+.3f}, {origin} (hatched) {bias:+.3f}, "
        f"together {pixels + bias:.3f}"
    )
    axis.set_xlabel(theme.wrapped(words, width - 1, 8))
    axis.xaxis.set_major_locator(MaxNLocator(nbins=8 if width > 5 else 5))
