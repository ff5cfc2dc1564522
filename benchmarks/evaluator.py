"""Scoring a Market-1501 of features, against the matrix product and against sorting."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.made import made_features
from benchmarks.timing import ratio, seconds_each
from mfa.records import JUNK, NO_CAMERA, Features
from mfa.retrieval import feature_file
from mfa.retrieval.distances import BLOCK, FeatureDistances
from mfa.retrieval.metrics import score
from mfa.retrieval.results import RetrievalResult

TARGETS = {"ratio_to_product": ("<=", 2.5), "max_difference": ("<=", 1e-9)}


def run(repeats: int = 5, features: Path | None = None) -> dict[str, Any]:
    """Time ``mfa.retrieval.metrics.score``, and compare it with an evaluator that sorts every list.

    Args:
        repeats: timed turns.
        features: a feature file with query and gallery; made-up features of Market-1501's size
            where not given.

    Returns:
        ``ratio_to_product``: over the (queries, gallery) matrix product alone, into memory that
        is there already; ``ratio_to_argsort``: over ``np.argsort`` of that matrix alone;
        ``max_difference``: largest difference from the sorting evaluator in any query's AP (both
        rules), INP or first match, or in the CMC curve; seconds as medians; ``mAP``.
    """
    problem = feature_file.read(features) if features else market_size()
    query, gallery = problem.query.features, problem.gallery.features
    matrix = np.empty((len(query), len(gallery)), dtype=np.float32)
    seconds = seconds_each(
        {
            "product": lambda: np.matmul(query, gallery.T, out=matrix),
            "score": lambda: score(problem),
            "argsort": lambda: np.argsort(matrix, axis=1),
        },
        repeats,
    )
    result = score(problem)
    return {
        "ratio_to_product": ratio(seconds["score"], seconds["product"]),
        "ratio_to_argsort": ratio(seconds["score"], seconds["argsort"]),
        "max_difference": max_difference(problem, result),
        **{f"{name}_seconds": median(values) for name, values in seconds.items()},
        "queries": len(query),
        "gallery": len(gallery),
        "width": query.shape[1],
        "features": str(features.name) if features else "made up",
        "mAP": result.mAP,
        "repeats": repeats,
    }


def market_size() -> Features:
    """Made-up features of Market-1501's size, about as hard as a fair model finds it."""
    return made_features(
        queries=3368, gallery=15913, people=750, distractors=2798, cameras=6, width=256, noise=1.9
    )


def max_difference(features: Features, result: RetrievalResult) -> float:
    """Largest difference between ``result`` and an evaluator that sorts every list whole."""
    query = features.query
    distances = FeatureDistances(query.features, features.gallery.features)
    first: list[int] = []
    differences = [0.0]
    for start in range(0, len(query), BLOCK):
        stop = min(start + BLOCK, len(query))
        for row, keys in enumerate(distances.keys(start, stop), start=start):
            expected = _by_sorting(features, row, keys)
            found = result.per_query.iloc[row]
            if expected is None:
                differences.append(float(found["positives"]))
                continue
            first.append(int(expected[3]))
            measured = (found["AP"], found["AP_trapezoid"], found["INP"], found["first_match_rank"])
            differences += [abs(float(a) - b) for a, b in zip(measured, expected, strict=True)]
    curve = [float(np.mean(np.array(first) <= k)) for k in range(1, len(result.cmc) + 1)]
    return max(*differences, float(np.abs(result.cmc - curve).max()))


def _by_sorting(
    features: Features, row: int, keys: np.ndarray
) -> tuple[float, float, float, float] | None:
    """AP, AP by trapezoids, INP and first rank of one query; None without a match."""
    gallery, query = features.gallery, features.query
    match = gallery.pids == query.pids[row]
    own_camera = (gallery.camids == query.camids[row]) & (gallery.camids != NO_CAMERA)
    valid = (gallery.pids != JUNK) & ~(match & own_camera)
    order = np.lexsort((match, keys))
    hits = match[order][valid[order]]
    if not hits.any():
        return None
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    before = np.concatenate([[1.0], precision[:-1]])
    places = np.flatnonzero(hits)
    return (
        float(precision[hits].mean()),
        float((precision[hits] + before[hits]).mean() / 2),
        float(len(places) / (places[-1] + 1)),
        float(places[0] + 1),
    )
