"""A few fixed queries, looked at after every epoch of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mfa.explain.engine import branch_maps
from mfa.explain.geometry import MapGrid
from mfa.explain.pictures import reference_pictures
from mfa.explain.record import FUSED
from mfa.inference.pictures import input_pixels
from mfa.records import FeatureSet, ReidDataset, Sample
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
    """Map and rank of some queries, among their people's pictures and some others of the gallery.

    All pictures are embedded and all maps are made in batches.

    Args:
        run: the weights to look with.
        data: with query and gallery.
        positions: in the query list.
    """
    queries = [data.query[position] for position in positions]
    chosen = _crowd(data, queries)
    crowd = FeatureSet(
        _embedded(run, data, chosen),
        np.array([s.pid for s in chosen]),
        np.array([s.camid for s in chosen]),
        np.array([s.path.name for s in chosen]),
    )
    pixels = np.stack([input_pixels(run, sample.path) for sample in queries])
    maps = branch_maps(run, pixels, reference=reference_pictures(run, data))
    name = FUSED if len(maps.branches) > 1 else maps.branches[0]
    found = []
    embedded = _embedded(run, data, queries)
    for number, (sample, feature) in enumerate(zip(queries, embedded, strict=True)):
        table = nearest(crowd, feature, len(crowd))
        right = table["rank"][(table["pid"] == sample.pid) & (table["camid"] != sample.camid)]
        rank = int(right.iloc[0]) if len(right) else 0
        heat, grid = maps.raw[name][number], maps.grids[name]
        found.append(Probe(positions[number], heat, grid, maps.limit, rank, len(crowd)))
    return found


def _crowd(data: ReidDataset, queries: Sequence[Sample]) -> list[Sample]:
    people = {sample.pid for sample in queries}
    own = [sample for sample in data.gallery if sample.pid in people]
    others = [sample for sample in data.gallery if sample.pid > 0 and sample.pid not in people]
    return own + others[:: max(1, len(others) // CROWD)]


def _embedded(run: Run, data: ReidDataset, samples: Sequence[Sample]) -> np.ndarray:
    """Embeddings (N, D), batch by batch."""
    rows = []
    for start in range(0, len(samples), BATCH):
        pixels = np.stack([input_pixels(run, s.path) for s in samples[start : start + BATCH]])
        cameras = run.cameras_of(samples[start : start + BATCH], data)
        batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(run.device).float() / 255
        with torch.inference_mode(), run.autocast():
            rows.append(run.model(batch, cameras).embedding.float().cpu().numpy())
    return np.concatenate(rows)
