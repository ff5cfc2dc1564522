"""A few fixed queries, looked at after every epoch of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mfa.explain.engine import branch_maps
from mfa.explain.geometry import MapGrid
from mfa.explain.pictures import reference_pictures
from mfa.explain.tables import FUSED
from mfa.inference.evaluate import test_pictures
from mfa.inference.extract import feature_set
from mfa.inference.pictures import input_pixels
from mfa.records import ReidDataset, Sample
from mfa.retrieval.nearest import nearest
from mfa.runs.run import Run

CROWD = 60
"""Gallery pictures that the probes are ranked among: enough to see them rise, quick to embed."""

BATCH = 32


@dataclass(frozen=True, eq=False)
class Probe:
    """What the newest weights make of one query.

    Attributes:
        position: in the query list.
        heat: its fused map (h, w).
        grid: where the pixels of the map lie in the picture.
        limit: end of its colour scale.
        rank: of its first match; 0 where none is in the crowd.
        crowd: how many pictures it was ranked among.
    """

    position: int
    heat: np.ndarray
    grid: MapGrid
    limit: float
    rank: int
    crowd: int


def measure_probes(run: Run, data: ReidDataset, positions: Sequence[int]) -> list[Probe]:
    """Fused map and rank of the queries at ``positions``, among a part of the gallery.

    That part is all pictures of their people and some others, see ``CROWD``.
    """
    queries = [data.query[position] for position in positions]
    pixels = np.stack([input_pixels(run, sample.path) for sample in queries])
    maps = branch_maps(run, pixels, reference=reference_pictures(run, data))
    pictures = test_pictures(run, data, (*queries, *_crowd(data, queries)))
    embedded = feature_set(run.embed(pictures, data, batch=BATCH), pictures)
    crowd = embedded.take(np.arange(len(queries), len(embedded)))
    found = []
    for number, (position, sample) in enumerate(zip(positions, queries, strict=True)):
        table = nearest(crowd, embedded.features[number], len(crowd))
        right = table["rank"][(table["pid"] == sample.pid) & (table["camid"] != sample.camid)]
        rank = int(right.iloc[0]) if len(right) else 0
        heat, grid = maps.raw[FUSED][number], maps.grids[FUSED]
        found.append(Probe(position, heat, grid, maps.limit, rank, len(crowd)))
    return found


def _crowd(data: ReidDataset, queries: Sequence[Sample]) -> list[Sample]:
    people = {sample.pid for sample in queries}
    own = [sample for sample in data.gallery if sample.pid in people]
    others = [sample for sample in data.gallery if sample.pid > 0 and sample.pid not in people]
    return own + others[:: max(1, len(others) // CROWD)]
