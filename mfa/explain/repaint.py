"""The repaint test: does the map of a difference lie on what differs?

Triplets are drawn: a query, a match from another camera, and that match once more with one thing
changed (``mfa.synthetic.repaint``). "Nearer to the match than to the repainted match" can rest on
that thing alone, and its pixels in the query are known. A rule is scored by the share of its map's
positive part that lies on them. After the inpainting game of face verification (Williford et al.
2020, Explainable face recognition); the retrieval form is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from mfa.datasets.loading.augment import to_unit
from mfa.errors import InputError
from mfa.explain import weightings
from mfa.explain.engine import branch_maps, descriptors, reference_maps
from mfa.explain.geometry import MapGrid
from mfa.explain.inputs import input_size
from mfa.explain.pictures import sample_positions
from mfa.explain.tables import EVEN, FUSED, summarise
from mfa.explain.targets import Contrast
from mfa.progress import Progress, reporting
from mfa.runs.run import BATCH, Run, untrained
from mfa.synthetic import THINGS, SyntheticConfig, repaint

ORACLE = "oracle"
"""Row name of the truth itself, at the resolution of the map: the best that a map can do."""

RANDOM = "random weights"
OTHER_CHANGE = "another change's map"
RULE = "HiResCAM"
"""The rule of the two controls above."""

TOLD_APART = "told apart"
"""Row name of the share of triplets that count."""

VISIBLE = 0.003
"""Share of the picture that must differ, in query and match, for a triplet to count."""

REPEAT = 500
"""Pictures with numbers from here on are in no set that ``mfa data make`` writes."""


@dataclass(frozen=True, eq=False)
class Triplets:
    """Drawn triplets, one per person and thing.

    Attributes:
        queries: (N, 3, H, W) in [0, 1].
        matches: the same persons from another camera.
        repainted: the matches with one thing changed.
        changed: (N, H, W) 1 for the pixels of the queries that the change would touch.
        things: (N,) what was changed.
        pids: (N,) identities.
    """

    queries: Tensor
    matches: Tensor
    repainted: Tensor
    changed: Tensor
    things: np.ndarray
    pids: np.ndarray

    def __len__(self) -> int:
        return len(self.pids)

    def take(self, chosen: np.ndarray | slice) -> Triplets:
        """Some of them."""
        return Triplets(*(values[chosen] for values in vars(self).values()))


def draw_triplets(persons: int = 100, *, seed: int = 0) -> Triplets:
    """Draw triplets of test identities of the default synthetic set, two cameras each.

    Left out are things that somebody does not carry or that one of the two pictures hides.

    Raises:
        InputError: there are fewer persons.
    """
    config = SyntheticConfig()
    if not 1 <= persons <= config.test_ids:
        raise InputError(f"triplets show 1 to {config.test_ids} persons, got {persons}")
    rows: list[tuple[Any, ...]] = []
    for pid in range(config.train_ids + 1, config.train_ids + 1 + persons):
        cameras = 1 + np.random.default_rng((seed, pid)).permutation(config.cameras)[:2]
        for thing in THINGS:
            query, match = (repaint(pid, int(c), REPEAT + seed, config, thing) for c in cameras)
            if query is None or match is None:
                continue
            if min(query.changed.mean(), match.changed.mean()) >= VISIBLE:
                rows.append((query.image, match.image, match.repainted, query.changed, thing, pid))
    *images, changed, things, pids = map(np.stack, zip(*rows, strict=True))
    queries, matches, repainted = (
        to_unit(torch.from_numpy(each).permute(0, 3, 1, 2)) for each in images
    )
    return Triplets(queries, matches, repainted, torch.from_numpy(changed).float(), things, pids)


def measure_repaint(
    run: Run,
    *,
    persons: int = 100,
    methods: Sequence[str] = weightings.ARRAY_METHODS,
    reference: int = 64,
    seed: int = 0,
    progress: bool | Progress = False,
) -> pd.DataFrame:
    """Score rules by the share of the map of a difference that lies on what differs.

    A triplet counts where the run finds the query nearer to the match than to the repainted match.
    Beside the rules stand ``even`` (a map without preference), ``oracle`` (the truth), and two
    controls, HiResCAM less the reference of another triplet and of the run before training.

    Args:
        run: a trained run.
        persons: how many are drawn, see ``draw_triplets``.
        methods: weightings of pytorch-grad-cam.
        reference: drawn pictures whose mean map is subtracted; each rule that allows it is scored
            with and without. 0: without only.
        seed: of the drawing and the intervals.
        progress: see ``mfa.progress``.

    Returns:
        Best rule first: ``rule``, ``reference`` (pictures subtracted), ``thing`` (``all`` or one),
        ``mean`` share on what differs with its 95 % interval ``low``, ``high`` over persons,
        ``triplets``. Rows ``told apart`` give the share of the drawn triplets that count.

    Raises:
        InputError: no such method, a number out of range, or no triplet is told apart.
    """
    names = [weightings.method_name(name) for name in methods]
    if reference < 0:
        raise InputError(f"reference pictures are 0 or more, got {reference}")
    drawn = draw_triplets(persons, seed=seed)
    apart, _, _ = _explain(run, drawn, _contrast(run, drawn), RULE, None)
    apart = apart > 0
    if not apart.any():
        raise InputError(f"{run.name} tells none of {len(drawn)} triplets apart", "train it longer")
    counted = drawn.take(np.flatnonzero(apart))
    before = untrained(run.config, run.device, run.precision)
    toward = _contrast(run, counted)
    other = Contrast(toward.toward.roll(1, 0), toward.away.roll(1, 0))
    alone = (*weightings.FORWARD_METHODS, weightings.SECOND_ORDER)
    jobs = [(name, 0, name, run, toward) for name in names]
    if reference:
        jobs += [(name, reference, name, run, toward) for name in names if name not in alone]
    jobs.append((OTHER_CHANGE, reference, RULE, run, other))
    jobs.append((RANDOM, reference, RULE, before, _contrast(before, counted)))
    means = {id(model): _mean(model, drawn.matches, reference, seed) for model in (run, before)}
    tables = [_rows(TOLD_APART, 0, apart, drawn)]
    with reporting(progress, "repaint") as report:
        for done, (rule, subtracted, method, model, target) in enumerate(jobs):
            report(done / len(jobs))
            mean = means[id(model)] if subtracted else None
            _, maps, grid = _explain(model, counted, target, method, mean)
            tables.append(_rows(rule, subtracted, share_on(maps, counted.changed, grid), counted))
    truth = grid.pool(counted.changed).numpy()
    for rule, maps in ((EVEN, np.ones_like(truth)), (ORACLE, truth)):
        tables.append(_rows(rule, 0, share_on(maps, counted.changed, grid), counted))
    return _summary(pd.concat(tables, ignore_index=True), seed)


def share_on(maps: np.ndarray, changed: Tensor, grid: MapGrid) -> np.ndarray:
    """Share (N,) of the positive part of maps (N, h, w) on areas (N, H, W); 0 for an empty map."""
    positive = torch.from_numpy(np.maximum(maps, 0, dtype=np.float32))
    on = (positive * grid.pool(changed)).sum(dim=(1, 2))
    found: np.ndarray = (on / positive.sum(dim=(1, 2)).clamp(min=1e-30)).numpy()
    return found


def _contrast(run: Run, triplets: Triplets) -> Contrast:
    size = input_size(run)
    rows = [
        torch.cat([descriptors(run.model, part, size) for part in torch.split(side, BATCH)])
        for side in (triplets.matches, triplets.repainted)
    ]
    return Contrast(*rows)


def _mean(run: Run, images: Tensor, count: int, seed: int) -> dict[str, Tensor] | None:
    """The mean map of each branch over some of the pictures."""
    if not count:
        return None
    return reference_maps(run, images[sample_positions(len(images), count, seed)])


def _explain(
    run: Run, triplets: Triplets, target: Contrast, method: str, mean: dict[str, Tensor] | None
) -> tuple[np.ndarray, np.ndarray, MapGrid]:
    """Score and fused map of every query, and where the map's pixels lie."""
    found = []
    for start in range(0, len(triplets), BATCH):
        part = slice(start, start + BATCH)
        toward = Contrast(target.toward[part], target.away[part])
        queries = triplets.queries[part]
        found.append(branch_maps(run, queries, target=toward, method=method, reference=mean))
    scores = np.concatenate([maps.scores[FUSED] for maps in found])
    return scores, np.concatenate([maps.raw[FUSED] for maps in found]), found[0].grids[FUSED]


def _rows(rule: str, reference: int, values: np.ndarray, triplets: Triplets) -> pd.DataFrame:
    columns = {"thing": triplets.things, "picture": triplets.pids, "value": values.astype(float)}
    return pd.DataFrame({"rule": rule, "reference": reference, **columns})


def _summary(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    by = ("rule", "reference", "thing")
    table = pd.concat([table.assign(thing="all"), table], ignore_index=True)
    persons = np.arange(table["picture"].max() + 1)  # a picture is counted under its identity
    means = summarise(table, by, persons=persons, seed=seed)
    means = means.rename(columns={"pictures": "triplets"})
    whole = means[means["thing"] == "all"].set_index(["rule", "reference"])["mean"].to_dict()
    whole[TOLD_APART, 0] = -1  # last
    order = [whole[key] for key in zip(means["rule"], means["reference"], strict=True)]
    return means.iloc[np.argsort(-np.array(order), kind="stable")].reset_index(drop=True)
