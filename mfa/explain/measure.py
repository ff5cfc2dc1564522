"""A run's attention in numbers: gradient maps of the test pictures, measured by ``mfa``.

What the paper says in words of its Figs. 4, 5 and 7, as tables with intervals, beside the same
numbers from random weights and from a map without preference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from mfa.datasets.loading.augment import to_unit
from mfa.datasets.loading.images import LoadedImages
from mfa.errors import InputError
from mfa.explain import attention_metrics
from mfa.explain.capture import BRANCH
from mfa.explain.engine import reference_maps, rule_maps
from mfa.explain.faithfulness import SHARES, Fill, Mode, faithfulness, picture_controls
from mfa.explain.geometry import MapGrid, map_grids
from mfa.explain.part_masks import part_masks
from mfa.explain.pictures import (
    REFERENCE,
    reference_pictures,
    sample_positions,
    seen_by_cameras,
)
from mfa.explain.tables import FUSED, summarise
from mfa.explain.weightings import method_name
from mfa.inference.evaluate import extract_features, resolve, test_pictures
from mfa.progress import Progress
from mfa.records import ReidDataset
from mfa.runs.run import Run, untrained
from mfa.synthetic import PARTS

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
            table = summarise(
                chosen, ("weights", "branch", "measure"), persons=self.persons, seed=seed
            )
            table.insert(1, "condition", name)
            groups.append(table)
        return pd.concat(groups, ignore_index=True)


def measure_attention(
    run: Run, data: ReidDataset | str | None = None, *, method: str = METHOD, **settings: Any
) -> Attention:
    """Measure where the branches of ``run`` look, on query pictures that have part masks.

    As ``attention_by_rule``, with the same settings, for one rule.
    """
    (found,) = attention_by_rule(run, data, methods=[method], **settings).values()
    return found


def attention_by_rule(
    run: Run,
    data: ReidDataset | str | None = None,
    *,
    data_root: Path | None = None,
    pictures: int | None = None,
    methods: Sequence[str] = (METHOD,),
    layer: str = BRANCH,
    reference: int = REFERENCE,
    cover: float = 0.0,
    seed: int = 0,
) -> dict[str, Attention]:
    """``measure_attention`` of several rules, by the rule's name; one forward pass serves all.

    Args:
        run: a trained run.
        data: a dataset with part masks (the synthetic sets, or any after ``mfa data masks``),
            or its name; by default what the run was trained on.
        data_root: where datasets lie, for a name.
        pictures: how many, drawn by ``seed``; by default all.
        methods: weightings, see ``branch_maps``; the target is similarity to itself.
        layer: map that is explained.
        reference: gallery pictures whose mean map is subtracted, drawn by ``seed``; 0 for none.
        cover: share of the height that the picture's mean colour covers, above in one picture and
            below in the next; it counts as an occluder. From a quarter on ``conditions`` has
            pictures with nothing above and nothing below, which photographs seldom are.
        seed: of the drawing.

    Raises:
        InputError: the dataset has no part masks, there is no such method or layer, or ``cover``
            is not a share below 1.
    """
    data = resolve(run, data, data_root)
    found = test_pictures(run, data, data.query)
    known = part_masks(data, found.positions.tolist(), found.height, found.width)
    rows = np.flatnonzero(known.trusted)
    chosen = rows[sample_positions(len(rows), pictures, seed)]
    if not 0 <= cover < 1:
        raise InputError(f"a share of the height from 0 to below 1 can be covered, got {cover}")
    hidden = np.zeros((len(chosen), found.height), bool)
    hidden[0::2, : round(cover * found.height)] = True
    hidden[1::2, found.height - round(cover * found.height) :] = True
    masks = np.where(hidden[:, :, None], PARTS.index("occluder"), known.parts[chosen])
    others = reference_pictures(run, data, reference, seed=seed)
    names = [method_name(method) for method in methods]
    how = {"layer": layer, "reference": others}
    explained = _explained(run, data, found, chosen, names, hidden, **how)
    grids = fused_grids(run, found, layer)
    card = {
        "run": run.name,
        "model": run.config.name,
        "seed": run.config.seed,
        "epochs": run.checkpoint.epoch,
        "checkpoint": run.hash,
        "dataset": data.name,
        "fingerprint": data.fingerprint,
        "split": "query",
        "target": "similarity to itself",
        "layer": layer,
        "reference": f"mean map of {reference} gallery pictures" if reference else "none",
        "intervals": "95 % bootstrap over persons",
        "pictures": len(chosen),
        "covered": cover,
        "masks": known.source,
    }
    attention = {}
    for name in names:
        regions, overlap = [], []
        for weights, by_rule in explained.items():
            maps = by_rule[name]
            local = {key: values for key, values in maps.items() if key != FUSED} or maps
            measured = attention_metrics.measure_regions(maps, masks, grids)
            regions.append(measured.assign(weights=weights))
            overlap.append(attention_metrics.measure_overlap(local).assign(weights=weights))
        attention[name] = Attention(
            regions=pd.concat(regions, ignore_index=True),
            overlap=pd.concat(overlap, ignore_index=True),
            conditions=attention_metrics.conditions(masks),
            persons=np.array([found.samples[i].pid for i in chosen]),
            card={**card, "method": name},
        )
    return attention


def measure_faithfulness(
    run: Run,
    data: ReidDataset | str | None = None,
    *,
    data_root: Path | None = None,
    queries: int | None = 200,
    method: str = METHOD,
    layer: str = BRANCH,
    reference: int = REFERENCE,
    shares: tuple[float, ...] = SHARES,
    modes: tuple[Mode, ...] = ("deletion", "insertion"),
    fill: Fill = "mean",
    controls: bool = False,
    seed: int = 0,
    progress: bool | Progress = False,
) -> pd.DataFrame:
    """What hiding, or alone showing, the top of each branch's map does to AP and rank.

    The map of random weights, and the fused map of another picture, go through the same.

    Arguments as in ``measure_attention`` and ``mfa.explain.faithfulness.faithfulness``. ``queries``
    are drawn by ``seed``; ``None`` for all. ``controls`` adds the maps of ``picture_controls``, for
    which alone the dataset needs part masks; those that are not trusted count as well.

    Returns:
        As ``mfa.explain.faithfulness.faithfulness``, with ``pid`` for resampling. ``map`` is a
        branch, ``fused``, ``random weights`` or ``another picture's map``.
    """
    data = resolve(run, data, data_root)
    features = extract_features(run, data)
    found = test_pictures(run, data, data.query)
    chosen = sample_positions(len(found), queries, seed)
    others = reference_pictures(run, data, reference, seed=seed)
    name, grids = method_name(method), fused_grids(run, found, layer)
    explained = _explained(run, data, found, chosen, [name], layer=layer, reference=others)
    maps = explained["trained"][name]
    images = to_unit(found.batch(chosen.tolist()))
    ordered = {"random weights": explained["random"][name][FUSED]}
    places = {"random weights": grids[FUSED], **grids}
    if controls:
        positions = found.positions[chosen].tolist()
        parts = part_masks(data, positions, found.height, found.width).parts
        ordered |= picture_controls(images, parts)
        even = MapGrid.even(found.height, found.width)
        places |= {name: places.get(name, even) for name in ordered}
    table = faithfulness(
        run.model,
        features,
        chosen.tolist(),
        images,
        {**ordered, **maps},
        grids=places,
        cameras=run.cameras_of([found.samples[i] for i in chosen], data),
        shares=shares,
        modes=modes,
        fill=fill,
        progress=progress,
    )
    return table.assign(pid=features.query.pids[table["query"]])


def _explained(
    run: Run,
    data: ReidDataset,
    pictures: LoadedImages,
    chosen: np.ndarray,
    methods: Sequence[str],
    hidden: np.ndarray | None = None,
    **settings: Any,
) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """``collect_maps`` of ``trained`` and of ``random`` weights."""
    start = untrained(run.config, run.device, run.precision)
    return {
        weights: collect_maps(
            model, batches(run, data, pictures, chosen, hidden), methods, **settings
        )
        for weights, model in (("trained", run), ("random", start))
    }


def fused_grids(run: Run, pictures: LoadedImages, layer: str = BRANCH) -> dict[str, MapGrid]:
    """Where the pixels of a run's maps lie in its pictures, by branch and ``fused``."""
    grids = map_grids(run.model, (pictures.height, pictures.width), layer)
    return {**grids, FUSED: MapGrid.mean(list(grids.values()))}


def batches(
    run: Run,
    data: ReidDataset,
    pictures: LoadedImages,
    chosen: np.ndarray,
    hidden: np.ndarray | None = None,
) -> Iterator[Any]:
    """The chosen pictures as floats, some at a time, with their cameras where those are told.

    Rows of the picture that are ``hidden`` (N, H) take its mean colour.
    """
    for first in range(0, len(chosen), BATCH):
        rows = chosen[first : first + BATCH]
        pixels = to_unit(pictures.batch(rows.tolist()))
        if hidden is not None:
            covered = torch.from_numpy(hidden[first : first + BATCH])[:, None, :, None]
            pixels = torch.where(covered, pixels.mean(dim=(2, 3), keepdim=True), pixels)
        yield seen_by_cameras(run, pixels, [pictures.samples[i] for i in rows], data)


def collect_maps(
    model: Run,
    images: Iterable[Any],
    methods: Sequence[str],
    *,
    layer: str = BRANCH,
    reference: Any = None,
) -> dict[str, dict[str, np.ndarray]]:
    """``rule_maps`` (N, h, w) of batches of pictures, less the mean map of ``reference``."""
    mean = None if reference is None else reference_maps(model, reference, layer=layer)
    parts = [rule_maps(model, b, methods, layer=layer, reference=mean) for b in images]
    return {
        rule: {name: np.concatenate([part[rule][name] for part in parts]) for name in maps}
        for rule, maps in parts[0].items()
    }
