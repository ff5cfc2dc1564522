"""Scoring features of MSMT17's size: time against the product alone, and memory."""

from __future__ import annotations

import tracemalloc
from statistics import median
from typing import Any

import numpy as np

from benchmarks.made import made_features
from benchmarks.timing import ratio, seconds_each
from mfa.records import Features
from mfa.retrieval.distances import BLOCK
from mfa.retrieval.metrics import score

TARGETS = {"ratio_to_product": ("<=", 2.0), "peak_extra_gib": ("<=", 1.0)}


def run(repeats: int = 5) -> dict[str, Any]:
    """Time ``mfa.score`` on 11,659 queries and 82,161 gallery pictures, 512 columns.

    Returns:
        ``ratio_to_product``: over the matrix product alone, made in the same blocks into one
        buffer (the whole matrix would be 3.6 GiB); ``peak_extra_gib``: most that Python and NumPy
        hold beyond the features while scoring; seconds as medians; ``mAP``.
    """
    problem = msmt17_size()
    query, gallery = problem.query.features, problem.gallery.features
    buffer = np.empty((BLOCK, len(gallery)), dtype=np.float32)

    def product() -> None:
        for start in range(0, len(query), BLOCK):
            rows = query[start : start + BLOCK]
            np.matmul(rows, gallery.T, out=buffer[: len(rows)])

    seconds = seconds_each({"product": product, "score": lambda: score(problem)}, repeats)
    peak, mean_precision = _peak(problem)
    return {
        "ratio_to_product": ratio(seconds["score"], seconds["product"]),
        "peak_extra_gib": peak / 2**30,
        **{f"{name}_seconds": median(values) for name, values in seconds.items()},
        "queries": len(query),
        "gallery": len(gallery),
        "width": query.shape[1],
        "mAP": mean_precision,
        "repeats": repeats,
    }


def msmt17_size() -> Features:
    """Made-up features of MSMT17's size, about as hard as a fair model finds it."""
    return made_features(
        queries=11659, gallery=82161, people=3060, distractors=0, cameras=15, width=512, noise=2.2
    )


def _peak(problem: Features) -> tuple[int, float]:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = score(problem)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before, result.mAP
