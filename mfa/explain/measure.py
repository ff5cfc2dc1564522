"""A run's attention in numbers: gradient maps of the test pictures, measured by ``mfa``.

What the paper says in words of its Figs. 4, 5 and 7 (each branch its own region, in order; a
branch falls back when its region is hidden; background and occluder ignored), as tables with
intervals, next to the same numbers from random weights and from a map without preference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from mfa.datasets.loading.augment import to_unit
from mfa.datasets.loading.images import LoadedImages
from mfa.explain import attention_metrics
from mfa.explain.engine import branch_maps
from mfa.explain.faithfulness import SHARES, faithfulness
from mfa.explain.geometry import MapGrid
from mfa.explain.inputs import ImagesWithCameras, by_camera
from mfa.explain.part_masks import part_masks
from mfa.explain.pictures import REFERENCE, reference_pictures, sample_positions
from mfa.explain.record import FUSED
from mfa.inference.evaluate import extract_features, resolve, test_pictures
from mfa.progress import Progress
from mfa.records import ReidDataset
from mfa.runs.run import Run, untrained

METHOD = "HiResCAM"
"""Adds up to the score whatever the pooling, so that shares of energy are shares of the score."""

BATCH = 32


@dataclass(frozen=True, eq=False)
class Attention:
    """Tidy tables of one run on the query pictures of one dataset.

    Attributes:
        regions: ``measure_regions`` of the run and of random weights: ``weights`` (``trained`` or
            ``random``), ``picture``, ``branch``, ``measure``, ``value``.
        overlap: ``measure_overlap`` of the same, with the same columns.
        conditions: (N,) true for the pictures of each group, see
            ``mfa.explain.attention_metrics.CONDITIONS``.
        persons: (N,) identity of each picture; intervals resample whole persons.
        card: run, dataset, method and number of pictures.
    """

    regions: pd.DataFrame
    overlap: pd.DataFrame
    conditions: dict[str, np.ndarray]
    persons: np.ndarray
    card: dict[str, Any]

    def summary(self, *, seed: int = 0) -> pd.DataFrame:
        """Means with intervals: ``weights``, ``condition``, ``branch``, ``measure``, ``mean``,
        ``low``, ``high``, ``pictures``.
        """  # noqa: D205
        rows = pd.concat([self.regions, self.overlap], ignore_index=True)
        groups = []
        for name, member in self.conditions.items():
            chosen = rows[member[rows["picture"].to_numpy(int)]]
            if chosen.empty:
                continue
            table = attention_metrics.summarise(
                chosen, ("weights", "branch", "measure"), persons=self.persons, seed=seed
            )
            table.insert(1, "condition", name)
            groups.append(table)
        return pd.concat(groups, ignore_index=True)


def measure_attention(
    run: Run,
    data: ReidDataset | str | None = None,
    *,
    data_root: Path | None = None,
    pictures: int | None = None,
    method: str = METHOD,
    layer: str = "branch",
    reference: int = REFERENCE,
    seed: int = 0,
) -> Attention:
    """Measure where the branches of ``run`` look, on query pictures that have part masks.

    Args:
        run: a trained run.
        data: a dataset with part masks (the synthetic sets, or any after ``mfa data masks``),
            or its name; by default what the run was trained on.
        data_root: where datasets lie, for a name.
        pictures: how many, drawn by ``seed``; by default all.
        method: weighting, see ``branch_maps``; the target is similarity to itself.
        layer: map that is explained.
        reference: gallery pictures whose mean map is taken off, drawn by ``seed``; 0 for none.
        seed: of the drawing.

    Raises:
        InputError: the dataset has no part masks.
    """
    data = resolve(run, data, data_root)
    found = test_pictures(run, data, data.query)
    known = part_masks(data, found.positions.tolist(), found.height, found.width)
    rows = np.flatnonzero(known.trusted)
    chosen = rows[sample_positions(len(rows), pictures, seed)]
    masks = known.parts[chosen]
    tables: dict[str, list[pd.DataFrame]] = {"regions": [], "overlap": []}
    mean = reference_pictures(run, data, reference, seed=seed)
    settings: dict[str, Any] = {"method": method, "layer": layer, "reference": mean}
    cameras = run.cameras_of(found.samples, data)
    for weights, model in (
        ("trained", run),
        ("random", untrained(run.config, run.device, run.precision)),
    ):
        maps, grids = collect_maps(model, found, chosen, cameras=cameras, **settings)
        local = {name: values for name, values in maps.items() if name != FUSED} or maps
        tables["regions"].append(
            attention_metrics.measure_regions(maps, masks, grids).assign(weights=weights)
        )
        tables["overlap"].append(attention_metrics.measure_overlap(local).assign(weights=weights))
    return Attention(
        regions=pd.concat(tables["regions"], ignore_index=True),
        overlap=pd.concat(tables["overlap"], ignore_index=True),
        conditions=attention_metrics.conditions(masks),
        persons=np.array([found.samples[i].pid for i in chosen]),
        card=_card(run, data, method, layer, reference)
        | {"pictures": len(chosen), "masks": known.source},
    )


def measure_faithfulness(
    run: Run,
    data: ReidDataset | str | None = None,
    *,
    data_root: Path | None = None,
    queries: int | None = 200,
    method: str = METHOD,
    layer: str = "branch",
    reference: int = REFERENCE,
    shares: tuple[float, ...] = SHARES,
    seed: int = 0,
    progress: bool | Progress = False,
) -> pd.DataFrame:
    """What hiding, or alone showing, the top of each branch's map does to AP and rank.

    Maps of random weights, and the fused map of another picture, go through the same.

    Args:
        run: a trained run.
        data: any dataset, or its name; by default what the run was trained on.
        data_root: where datasets lie, for a name.
        queries: how many, drawn by ``seed``; ``None`` for all.
        method: weighting, see ``branch_maps``.
        layer: map that is explained.
        reference: as in ``measure_attention``.
        shares: of the pixels that are hidden or shown.
        seed: of the drawing.
        progress: see ``mfa.progress``.

    Returns:
        As ``mfa.explain.faithfulness.faithfulness``, with ``pid`` for resampling. ``map`` is a
        branch, ``fused``, ``random weights`` or ``another picture's map``.
    """
    data = resolve(run, data, data_root)
    features = extract_features(run, data)
    found = test_pictures(run, data, data.query)
    chosen = sample_positions(len(found), queries, seed)
    mean = reference_pictures(run, data, reference, seed=seed)
    settings: dict[str, Any] = {"method": method, "layer": layer, "reference": mean}
    cameras = run.cameras_of(found.samples, data)
    (random, _), (maps, grids) = (
        collect_maps(model, found, chosen, cameras=cameras, **settings)
        for model in (untrained(run.config, run.device, run.precision), run)
    )
    ordered = {"random weights": random[FUSED], **maps}
    images = to_unit(found.batch(chosen.tolist()))
    table = faithfulness(
        run.model,
        features,
        chosen.tolist(),
        images,
        ordered,
        grids={"random weights": grids[FUSED], **grids},
        cameras=None if cameras is None else cameras[chosen],
        shares=shares,
        progress=progress,
    )
    return table.assign(pid=features.query.pids[table["query"]])


def persons_of(table: pd.DataFrame) -> np.ndarray | None:
    """Identity of each picture of a faithfulness table, for ``attention_metrics.summarise``.

    ``None`` where the table has no identities; its intervals are then over pictures.
    """
    if "pid" not in table:
        return None
    persons = table.groupby("picture")["pid"].first()
    filled = np.full(int(persons.index.max()) + 1, -1)
    filled[persons.index] = persons.to_numpy()
    return filled


def collect_maps(
    run: Any,
    pictures: LoadedImages,
    chosen: np.ndarray,
    *,
    method: str = METHOD,
    layer: str = "branch",
    reference: Tensor | ImagesWithCameras | None = None,
    cameras: Tensor | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, MapGrid]]:
    """Raw maps (N, h, w) of every branch, and ``fused``, for some pictures, batch by batch.

    ``cameras`` are those of all ``pictures``, where the run's network is told them. The second
    result says where the maps' pixels lie.
    """
    parts = [
        branch_maps(run, images, method=method, layer=layer, reference=reference)
        for images in _batches(pictures, chosen, cameras)
    ]
    maps = {name: np.concatenate([part.raw[name] for part in parts]) for name in parts[0]}
    return maps, parts[0].grids


def _batches(
    pictures: LoadedImages, chosen: np.ndarray, cameras: Tensor | None
) -> Iterator[Tensor | ImagesWithCameras]:
    for start in range(0, len(chosen), BATCH):
        part = chosen[start : start + BATCH]
        yield by_camera(to_unit(pictures.batch(part.tolist())), cameras, part)


def _card(run: Run, data: ReidDataset, method: str, layer: str, reference: int) -> dict[str, Any]:
    return {
        "run": run.name,
        "model": run.config.name,
        "seed": run.config.seed,
        "epochs": run.checkpoint.epoch,
        "checkpoint": run.hash,
        "dataset": data.name,
        "fingerprint": data.fingerprint,
        "split": "query",
        "target": "similarity to itself",
        "method": method,
        "layer": layer,
        "reference": f"mean map of {reference} gallery pictures" if reference else "none",
        "intervals": "95 % bootstrap over persons",
    }
