"""What maps have to do with the person in the picture and with each other, picture by picture.

Takes maps of any origin (gradient maps of ``mfa.branch_maps``, activation energy) and gives tidy
tables, one number per row, so that means and intervals can be taken over any group of pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from mfa.explain.geometry import MapGrid
from mfa.explain.part_energy import PERSON, part_shares
from mfa.explain.tables import EVEN
from mfa.models.separation import centroid, map_cosine
from mfa.synthetic import PARTS

TOP = 0.2
"""Share of the pixels whose overlap is counted by ``iou``."""

CONDITIONS = ("all", "whole", "occluded", "nothing above", "nothing below")
"""Groups of pictures by their masks: the person from top to bottom with nothing in front; an
occluder over at least ``FEW`` of the picture; less than ``FEW`` of the upper (lower) quarter shows
the person, as in the paper's Fig. 4 b (c)."""

FEW = 0.05

_PERSON = [PARTS.index(part) for part in PERSON]


def measure_regions(
    maps: Mapping[str, np.ndarray],
    masks: np.ndarray | Tensor,
    grids: Mapping[str, MapGrid] | None = None,
) -> pd.DataFrame:
    """Where the positive part of each map lies.

    Args:
        maps: (N, h, w) by branch, signed or not; what argues against a target is no attention.
        masks: (N, H, W) part indices, see ``mfa.synthetic.PARTS``.
        grids: where the pixels of each map lie; by default evenly over the picture.

    Returns:
        Columns ``picture``, ``branch``, ``measure``, ``value``. Measures: ``person`` and each part
        (share of energy; NaN for parts that the picture does not show), ``centroid`` (0 top to 1
        bottom), ``pointing`` (1 where the highest point lies on the person). ``branch`` is
        ``even`` for a map without preference. NaN for a map without a positive value.
    """
    parts = torch.as_tensor(masks)
    positive = {name: _positive(values) for name, values in maps.items()}
    size = next(iter(positive.values())).shape
    positive[EVEN] = torch.ones(size)
    even = MapGrid.even(*size[1:])
    places = dict(grids or dict.fromkeys(maps, even))
    places[EVEN] = next(iter(places.values()))
    shown = torch.stack([(parts == i).flatten(1).any(dim=1) for i in range(len(PARTS))], dim=1)
    tables = []
    for name, values in positive.items():
        shares = part_shares(values, parts, places[name])
        visible = torch.where(shown, shares, torch.nan)
        measures = {
            "person": shares[:, _PERSON].sum(dim=1),
            **{part: visible[:, i] for i, part in enumerate(PARTS)},
            **_places(name, values, parts, places[name]),
        }
        tables.append(_tidy(name, measures))
    return pd.concat(tables, ignore_index=True)


def measure_overlap(maps: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """How far the maps of different branches coincide.

    Returns:
        Columns ``picture``, ``branch`` (``branch1 + branch2`` ...; ``pairs`` for their mean;
        ``all`` for the order), ``measure``, ``value``. Measures: ``cosine`` of the positive parts;
        ``iou`` of their highest fifths; ``in order``, 1 where the centroids strictly increase.
    """
    positive = {name: _positive(values) for name, values in maps.items()}
    pairs = {
        f"{first} + {second}": {"cosine": map_cosine(one, two), "iou": _iou(one, two)}
        for (first, one), (second, two) in combinations(positive.items(), 2)
    }
    if not pairs:
        return pd.DataFrame(columns=["picture", "branch", "measure", "value"])
    tables = [_tidy(name, measures) for name, measures in pairs.items()]
    mean = {
        measure: torch.stack([pair[measure] for pair in pairs.values()]).nanmean(dim=0)
        for measure in ("cosine", "iou")
    }
    centres = torch.stack([centroid(values) for values in positive.values()])
    ordered = (centres.diff(dim=0) > 0).all(dim=0).double()
    ordered[centres.isnan().any(dim=0)] = torch.nan
    tables += [_tidy("pairs", mean), _tidy("all", {"in order": ordered})]
    return pd.concat(tables, ignore_index=True)


def conditions(masks: np.ndarray | Tensor) -> dict[str, np.ndarray]:
    """(N,) true for the pictures of each of ``CONDITIONS``."""
    parts = torch.as_tensor(masks)
    quarter = max(1, parts.shape[1] // 4)
    person = torch.isin(parts, torch.tensor(_PERSON)).double()
    occluded = (parts == PARTS.index("occluder")).double().mean(dim=(1, 2)) >= FEW
    above = person[:, :quarter].mean(dim=(1, 2)) < FEW
    below = person[:, -quarter:].mean(dim=(1, 2)) < FEW
    whole = ~(occluded | above | below)
    groups = (torch.ones_like(whole), whole, occluded, above, below)
    return {name: group.numpy() for name, group in zip(CONDITIONS, groups, strict=True)}


def _positive(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.maximum(values, 0, dtype=np.float32))


def _places(name: str, maps: Tensor, masks: Tensor, grid: MapGrid) -> dict[str, Tensor]:
    on_person = torch.isin(masks, torch.tensor(_PERSON)).double()
    if name == EVEN:  # its highest point is anywhere
        hit = on_person.flatten(1).mean(dim=1)
    else:
        size, width = (masks.shape[1], masks.shape[2]), maps.shape[2]
        highest = maps.flatten(1).argmax(dim=1).tolist()
        peaks = [grid.point(divmod(place, width), size) for place in highest]
        hit = torch.stack([on_person[i, y, x] for i, (y, x) in enumerate(peaks)])
        hit[maps.flatten(1).sum(dim=1) == 0] = torch.nan
    heights = maps.sum(dim=2).double()
    centre = heights @ torch.from_numpy(grid.rows.centres()) / heights.sum(dim=1)
    return {"centroid": centre, "pointing": hit}


def _iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of the two highest fifths; NaN where a map is empty."""
    one, two = (_highest(values) for values in (first, second))
    both = (one & two).sum(dim=1) / (one | two).sum(dim=1)
    empty = (first.flatten(1).sum(dim=1) == 0) | (second.flatten(1).sum(dim=1) == 0)
    return torch.where(empty, torch.nan, both.double())


def _highest(maps: Tensor) -> Tensor:
    flat = maps.flatten(1)
    count = max(1, round(TOP * flat.shape[1]))
    chosen = torch.zeros_like(flat, dtype=torch.bool)
    return chosen.scatter(1, flat.topk(count, dim=1).indices, True)


def _tidy(branch: str, measures: Mapping[str, Tensor]) -> pd.DataFrame:
    wide = pd.DataFrame({measure: values.double().numpy() for measure, values in measures.items()})
    long = wide.rename_axis("picture").reset_index().melt("picture", var_name="measure")
    return long.assign(branch=branch)[["picture", "branch", "measure", "value"]]
