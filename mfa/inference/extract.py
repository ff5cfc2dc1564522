"""Descriptors with what is needed to score them."""

from __future__ import annotations

import numpy as np

from mfa.datasets.loading.images import LoadedImages
from mfa.records import FeatureSet


def feature_set(features: np.ndarray, pictures: LoadedImages) -> FeatureSet:
    """Descriptors with the labels, names and list positions of their pictures."""
    samples = pictures.samples
    return FeatureSet(
        features=features,
        pids=np.array([sample.pid for sample in samples], dtype=np.int64),
        camids=np.array([sample.camid for sample in samples], dtype=np.int64),
        names=np.array([sample.path.name for sample in samples]),
        positions=pictures.positions,
    )
