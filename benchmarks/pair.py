"""``python -m benchmarks pair``: two pictures explained by masks, for any model.

The pairs are drawn people and their match from another camera. Seconds are those of one pair.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np

from mfa.cli.models import ExternalSettings, embedder
from mfa.cli.options import Computing
from mfa.explain.pair_faithfulness import MASKS, SHUFFLED, pair_faithfulness
from mfa.explain.pair_maps import pair_maps
from mfa.explain.repaint import draw_triplets

TARGETS = {"maps_s": ("<=", 30)}
"""The bound of a large public model on two cores; a small one is to take 2 seconds."""


def run(repeats: int = 5, *, model: str = "mfa-tiny") -> dict[str, Any]:
    """Explain ``repeats`` pairs, one block of masks each.

    Args:
        repeats: pairs.
        model: a run, or an external model as in ``mfa compare``.

    Returns:
        ``maps_s`` and ``faithfulness_s``, medians; ``masks``; and the mean change of the cosine
        with the top of the maps hidden (``deletion``) or alone shown (``insertion``), and the same
        for shuffled masks (``..._control``).
    """
    opened = embedder(model, ExternalSettings(), Computing())
    people = draw_triplets(repeats)
    _, first = np.unique(people.pids, return_index=True)
    pairs = [(people.queries[i], people.matches[i]) for i in first]
    pair_maps(opened, *pairs[0])  # the first makes plans and buffers
    seconds: dict[str, list[float]] = {"maps_s": [], "faithfulness_s": []}
    tables = []
    for pair in pairs:
        start = time.perf_counter()
        maps = pair_maps(opened, *pair)
        middle = time.perf_counter()
        tables.append(pair_faithfulness(opened, maps).groupby(["mode", "map"])["change"].mean())
        seconds["maps_s"].append(middle - start)
        seconds["faithfulness_s"].append(time.perf_counter() - middle)
    change = sum(tables) / len(tables)
    return {
        "model": opened.name,
        **{name: median(values) for name, values in seconds.items()},
        "masks": maps.masks,
        **{
            f"{mode}{ending}": float(change[mode, name])
            for mode in ("deletion", "insertion")
            for name, ending in ((MASKS, ""), (SHUFFLED, "_control"))
        },
    }
