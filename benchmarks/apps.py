"""``python -m benchmarks apps``: how long the apps take to react, without a browser.

Two inputs: a Market-1501 of made-up features for the switchboard, and drawn people with an
untrained ResNet-18 at 256x128 for everything that makes maps, since time does not depend on the
weights.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.made import made_features
from benchmarks.timing import seconds_each
from mfa import presets
from mfa.config import Config, DataConfig, ModelConfig
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.inference.evaluate import extract_features
from mfa.retrieval.branch_products import BranchProducts
from mfa.retrieval.metrics import score
from mfa.runs.checkpoint import CHECKPOINT, save_checkpoint
from mfa.runs.run import Run, open_run, untrained
from mfa.synthetic import SyntheticConfig, write
from viz.apps import lessons, opener

TARGETS = {
    "first_s": ("<=", 3.0),
    "cached_s": ("<=", 0.15),
    "maps_s": ("<=", 1.5),
    "switchboard_market1501_s": ("<=", 1.5),
}
"""Seconds at most; ``first_s``, ``cached_s`` and ``maps_s`` are the slowest app's."""

BRANCHES = tuple((f"branch{n}", 64) for n in range(1, 5))
"""New weights take as long whatever the width; a narrow branch has its products sooner."""


def run(
    repeats: int = 5,
    *,
    config: Config | None = None,
    people: int = 20,
    market: tuple[int, int] = (3368, 15_913),
) -> dict[str, float]:
    """Medians over ``repeats`` changes, in seconds.

    Args:
        repeats: timed changes, after one to warm up.
        config: of the network that makes maps; ResNet-18 at 256x128 by default.
        people: drawn for it.
        market: queries and gallery of the switchboard's large case.

    Returns:
        For each app ``APP_first_s`` (from the call to the first picture, features cached),
        ``APP_cached_s`` (a change of what is computed already), ``APP_maps_s`` (a change that
        needs new maps); ``switchboard_market1501_s`` (new weights, 3,368 x 15,913); and the
        largest of each kind as ``first_s``, ``cached_s``, ``maps_s``.
    """
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        few = SyntheticConfig(train_ids=2, test_ids=people, train_images=4, distractors=8, junk=4)
        write(Path(folder), few)
        data = load_dataset("synthetic", Path(folder))
        run = _saved(config or _resnet18(), Path(folder) / "run")
        extract_features(run, data)  # beside the run, as after any evaluation
        for app, opening, changes in _apps(run, data):
            started = time.perf_counter()
            opened = opening()
            opened.wait(120)
            found[f"{app}_first_s"] = time.perf_counter() - started
            for kind, change in changes.items():
                times = [_reaction(opened, change(number)) for number in range(repeats + 1)]
                found[f"{app}_{kind}_s"] = statistics.median(times[1:])
            opened.close()
    found["switchboard_market1501_s"] = market1501(repeats, *market)
    for kind in ("first", "cached", "maps"):
        found[f"{kind}_s"] = max(v for k, v in found.items() if k.endswith(f"_{kind}_s"))
    return found


def _apps(run: Run, data: Any) -> Iterator[tuple[str, Callable[[], Any], dict[str, Any]]]:
    """Name, a call that opens the app, and changes by kind."""

    def shown(name: str) -> Callable[[], Any]:
        return partial(opener(name), run, data=data)

    weights = [(1.0, 1.0, 1.0, round(0.1 * n, 1)) for n in range(1, 60)]
    yield "ranks", shown("ranks"), {"cached": lambda n: {"query": n + 1}}
    changes = {
        "maps": lambda n: {"position": n + 1},
        "cached": lambda n: {"opacity": 0.9 - 0.05 * n},
    }
    yield "attention", shown("attention"), changes
    yield "branches", shown("branches"), {"cached": lambda n: {"weights": weights[n]}}
    yield "occlusion", shown("occlusion"), {"maps": lambda n: {"down": 0.02 * (n + 1)}}
    yield "failures", shown("failures"), {"maps": lambda n: {"query": n}}
    yield "threshold", shown("threshold"), {"cached": lambda n: {"threshold": 0.01 * (n + 1)}}
    yield "triplets", lessons.triplets, {"cached": lambda n: {"anchor": n + 1}}
    yield "stripes", lessons.stripes, {"cached": lambda n: {"step": n + 1}}


def market1501(repeats: int = 5, queries: int = 3368, gallery: int = 15_913) -> float:
    """Median seconds of a scoring with new weights at Market-1501's size, products kept."""
    width = sum(width for _, width in BRANCHES)
    size = {"queries": queries, "gallery": gallery, "people": 750, "distractors": 0}
    features = made_features(**size, cameras=6, width=width, noise=1.9)
    products = BranchProducts(replace(features, branches=BRANCHES))
    number = count()

    def change() -> None:
        turn = next(number)
        weights = {name: 1.0 + 0.1 * turn for name, _ in BRANCHES[:3]}
        score(products.weighted_features(weights), distance=products.weighted(weights))

    return statistics.median(seconds_each({"change": change}, repeats)["change"])


def _resnet18() -> Config:
    config = presets.variant(presets.cpu(), "anchored")
    trunk = replace(config.model, trunk="resnet18", width=ModelConfig().width)
    return replace(config, model=trunk, data=DataConfig(cache=False))


def _saved(config: Config, folder: Path) -> Run:
    """A run on disk with random weights."""
    folder.mkdir()
    save_checkpoint(untrained(config).checkpoint, folder / CHECKPOINT)
    return open_run(folder)


def _reaction(app: Any, change: dict[str, Any]) -> float:
    started = time.perf_counter()
    app.set(**change)
    app.wait(120)
    seconds = time.perf_counter() - started
    if app.error:  # a sentence is quicker than a picture, and no measurement of one
        raise InputError(f"the {app.name} app answered {change} with: {app.error}")
    return seconds
