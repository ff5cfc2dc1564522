"""Made-up features of a dataset's size, as hard as a real model's."""

from __future__ import annotations

import numpy as np

from mfa.records import DISTRACTOR, Features, FeatureSet


def made_features(
    *,
    queries: int,
    gallery: int,
    people: int,
    distractors: int,
    cameras: int,
    width: int,
    noise: float,
    seed: int = 0,
) -> Features:
    """A point for each person, and pictures scattered around it.

    Args:
        queries: pictures in the query list.
        gallery: pictures in the gallery, distractors among them.
        people: identities, from 1 on; each is in both lists.
        distractors: gallery pictures of pid 0, each scattered around a point of its own.
        cameras: drawn at random, from 1 on.
        width: columns.
        noise: length of the scatter, where the persons' points have length 1.
        seed: of everything drawn.
    """
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((people + 1 + distractors, width), dtype=np.float32)
    centres /= np.sqrt(np.float32(width))

    def side(count: int, others: int, label: str) -> FeatureSet:
        pids = np.concatenate([np.zeros(others, int), 1 + np.arange(count - others) % people])
        rows = np.concatenate([people + 1 + np.arange(others), pids[others:]])
        features = rng.standard_normal((count, width), dtype=np.float32)
        features *= np.float32(noise / np.sqrt(width))
        features += centres[rows]
        return FeatureSet(
            features=features,
            pids=np.where(rows > people, DISTRACTOR, pids),
            camids=rng.integers(1, cameras + 1, size=count),
            names=np.array([f"{label}{i}" for i in range(count)]),
        )

    return Features(query=side(queries, 0, "query"), gallery=side(gallery, distractors, "gallery"))
