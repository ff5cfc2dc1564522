"""The passport of a map: what one rule's maps of one network pass, and what they do not.

Do they change when the weights are drawn anew, from the top down (cascading randomisation, Adebayo
et al. 2018)? Does hiding their top cost more than hiding their bottom, behind the mean colour and
by ROAD (Rong et al. 2022), and more so than by the order of maps that no network made: the person's
silhouette and the edges of the picture? The form for retrieval and the verdicts are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata

from mfa.datasets.loading.augment import to_unit
from mfa.errors import InputError
from mfa.explain import weightings
from mfa.explain.faithfulness import SHARES, Fill, Mode, faithfulness, picture_controls
from mfa.explain.geometry import MapGrid
from mfa.explain.measure import batches, collect_maps, fused_grids
from mfa.explain.part_masks import part_masks
from mfa.explain.pictures import REFERENCE, reference_pictures, sample_positions
from mfa.explain.sanity_checks import cascade
from mfa.explain.tables import (
    BEATS,
    CHANGES,
    CURVES,
    EDGES,
    FUSED,
    LIKENESS,
    ORDERS,
    SHUFFLED,
    SILHOUETTE,
    summarise,
)
from mfa.inference.evaluate import extract_features, resolve, test_pictures
from mfa.progress import Progress, part_of, reporting
from mfa.records import ReidDataset
from mfa.runs.run import Run

RULES = ("HiResCAM", "GradCAM", "LayerCAM", "EigenGradCAM")
"""Rules that are compared by default: one of each idea."""

MODES: tuple[Mode, ...] = ("deletion", "least_first")
QUESTIONS = (CHANGES, ORDERS, BEATS)
"""Checks with a verdict: their value is above 0 where the map passes."""


def measure_passport(
    run: Run,
    data: ReidDataset | str | None = None,
    *,
    data_root: Path | None = None,
    methods: Sequence[str] = RULES,
    queries: int | None = 100,
    reference: int = REFERENCE,
    shares: Sequence[float] = SHARES,
    fills: Sequence[Fill] = get_args(Fill),
    seed: int = 0,
    progress: bool | Progress = False,
) -> pd.DataFrame:
    """The passports of the fused maps of some rules, on query pictures with trusted part masks.

    Args:
        run: a trained run.
        data: a dataset with part masks, or its name; by default what the run was trained on.
        data_root: where datasets lie, for a name.
        methods: weightings of pytorch-grad-cam.
        queries: how many, drawn by ``seed``; ``None`` for all.
        reference: gallery pictures whose mean map is subtracted, of each network its own.
        shares: of the pixels that are hidden.
        fills: what hidden pixels become, see ``mfa.explain.faithfulness``.
        seed: of the drawing and the intervals.
        progress: see ``mfa.progress``.

    Returns:
        One row per ``rule`` (the two baselines are rules, too), ``check``, ``against``, ``fill``
        and ``share``: ``mean`` with its 95 % interval ``low``, ``high`` over persons, ``pictures``,
        ``verdict``. Checks: ``likeness``, the rank correlation with another map of the picture
        (``against``: the last part of the network that was drawn anew from the top, a baseline, or
        another picture's map); ``most relevant first`` and ``least relevant first``, the change of
        AP; and the three of ``QUESTIONS``, which alone have a verdict: ``holds`` where the interval
        lies above 0, ``fails`` where it does not reach above 0, else ``open``. Their values: how
        much less like itself than another picture's map a map is once all weights are drawn anew;
        AP lost by hiding its top less that by its bottom, mean over the shares; the same less what
        the baseline ``against`` has.

    Raises:
        InputError: no such method, no part masks, or fewer than two pictures with trusted ones.
    """
    names = [weightings.method_name(name) for name in methods]
    data = resolve(run, data, data_root)
    features = extract_features(run, data)
    found = test_pictures(run, data, data.query)
    known = part_masks(data, found.positions.tolist(), found.height, found.width)
    trusted = np.flatnonzero(known.trusted)
    chosen = trusted[sample_positions(len(trusted), queries, seed)]
    if len(chosen) < 2:
        raise InputError(f"a passport compares pictures, got {len(chosen)} with a trusted mask")
    others = reference_pictures(run, data, reference, seed=seed)
    images = to_unit(found.batch(chosen.tolist()))
    controls = picture_controls(images, known.parts[chosen])
    networks = {"": run, **dict(cascade(run))}
    maps: dict[str, dict[str, np.ndarray]] = {}
    with reporting(progress, "passport") as report:
        for done, (stage, network) in enumerate(networks.items()):
            report(done / len(networks) / 2)
            seen = batches(run, data, found, chosen)
            by_rule = collect_maps(network, seen, names, reference=others)
            maps[stage] = {rule: values[FUSED] for rule, values in by_rule.items()}
        own = maps.pop("")
        grid = fused_grids(run, found)[FUSED]
        even = MapGrid.even(found.height, found.width)
        hidden = []
        for place, fill in enumerate(fills):
            table = faithfulness(
                run.model,
                features,
                chosen.tolist(),
                images,
                {**controls, **own},
                grids=dict.fromkeys(controls, even) | dict.fromkeys(own, grid),
                cameras=run.cameras_of([found.samples[i] for i in chosen], data),
                shares=shares,
                modes=MODES,
                fill=fill,
                shuffled=False,
                progress=part_of(report, *(0.5 + 0.5 * (place + i) / len(fills) for i in (0, 1))),
            )
            hidden.append(table.assign(fill=fill))
    areas = {name: torch.from_numpy(heat).float() for name, heat in controls.items()}
    coarse = {name: grid.pool(area).numpy() for name, area in areas.items()}
    rows = [likeness_rows(own, maps, coarse), hiding_rows(pd.concat(hidden, ignore_index=True))]
    persons = np.array([found.samples[i].pid for i in chosen])
    return judged(pd.concat(rows, ignore_index=True), persons, seed=seed)


def likeness(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation (N,) of maps (N, h, w), pixel by pixel; NaN for a flat map."""
    ranks = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (first, second)]
    one, two = (each - each.mean(axis=1, keepdims=True) for each in ranks)
    size = np.sqrt((one**2).sum(axis=1) * (two**2).sum(axis=1))
    found: np.ndarray = (one * two).sum(axis=1) / np.where(size, size, np.nan)
    return found


def likeness_rows(
    own: Mapping[str, np.ndarray],
    randomised: Mapping[str, Mapping[str, np.ndarray]],
    controls: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """``likeness`` of each rule's maps (N, h, w) to others of the same pictures, and ``CHANGES``.

    ``randomised`` holds the maps by stage and rule, in the order of the cascade; ``controls`` maps
    without a rule. Columns ``rule``, ``check``, ``against``, ``picture``, ``value``.
    """
    tables = []
    for rule, maps in own.items():
        beside = {SHUFFLED: np.roll(maps, len(maps) // 2, axis=0), **controls}
        beside |= {stage: found[rule] for stage, found in randomised.items()}
        values = {name: likeness(maps, other) for name, other in beside.items()}
        untrained = values[list(values)[-1]]  # the cascade ends with the whole network
        checks = [(LIKENESS, name, value) for name, value in values.items()]
        for check, against, value in (*checks, (CHANGES, SHUFFLED, values[SHUFFLED] - untrained)):
            columns = {"picture": np.arange(len(maps)), "value": value}
            tables.append(
                pd.DataFrame({"rule": rule, "check": check, "against": against} | columns)
            )
    return pd.concat(tables, ignore_index=True)


def hiding_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Curves, ``ORDERS`` and ``BEATS`` from tables of ``faithfulness`` with their ``fill``.

    Columns as in ``likeness_rows``, with ``fill`` and ``share``. How much more AP hiding the top
    costs than hiding the bottom is the mean over the shares.
    """
    table = table.rename(columns={"map": "rule", "AP_change": "value"})
    curves = table.assign(check=table["mode"].map(dict(zip(MODES, CURVES, strict=True))))
    costs = table.pivot_table("value", ["fill", "picture", "rule"], "mode", sort=False)
    order = costs["least_first"] - costs["deletion"]
    tables = [curves, order.to_frame("value").reset_index().assign(check=ORDERS)]
    wide = order.unstack("rule")
    for control in (SILHOUETTE, EDGES):
        ahead = wide.drop(columns=[SILHOUETTE, EDGES]).sub(wide[control], axis=0).reset_index()
        ahead = ahead.melt(["fill", "picture"], var_name="rule")
        tables.append(ahead.assign(check=BEATS, against=control))
    columns = ["rule", "check", "against", "fill", "share", "picture", "value"]
    return pd.concat(tables, ignore_index=True)[columns]


def judged(table: pd.DataFrame, persons: np.ndarray, *, seed: int = 0) -> pd.DataFrame:
    """Means of such rows with intervals over ``persons`` (N,), and verdicts.

    See ``measure_passport``.
    """
    by = ("rule", "check", "against", "fill", "share")
    table = table.reindex(columns=[*by, "picture", "value"])
    means = summarise(table, by, persons=persons, seed=seed)
    verdict = np.select([means["low"] > 0, means["high"] <= 0], ["holds", "fails"], "open")
    return means.assign(verdict=np.where(means["check"].isin(QUESTIONS), verdict, ""))
