"""Colours alone: how far a histogram of the true person gets on the synthetic set.

Every learned descriptor should do better. The histogram takes the person's pixels from the part
mask, which no other method may use.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mfa.datasets.loading.decode import read_image
from mfa.records import Features, FeatureSet, ReidDataset, Sample
from mfa.synthetic.masks import BAG, HEAD, load_mask

BINS = 4
"""Bins a channel; 4 x 4 x 4 scored best of 4, 6 and 8."""

STRIPES = 6
"""Horizontal stripes between the highest and the lowest pixel of the person."""


def colour_histogram(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Joint RGB histogram of the person in each stripe, Hellinger-mapped.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) uint8, indices into ``PARTS``.

    Returns:
        (STRIPES * BINS ** 3,) float32. The dot product of two such vectors is the sum over stripes
        of the Bhattacharyya coefficient. Zeros where the picture shows nothing of the person.
    """
    person = (mask >= HEAD) & (mask <= BAG)
    rows, columns = np.nonzero(person)
    counts = np.zeros((STRIPES, BINS**3), np.float64)
    if len(rows):
        top, bottom = rows.min(), rows.max() + 1
        stripe = (rows - top) * STRIPES // (bottom - top)
        red, green, blue = (image[rows, columns].astype(np.int64) * BINS // 256).T
        np.add.at(counts, (stripe, (red * BINS + green) * BINS + blue), 1)
        counts /= np.maximum(1, counts.sum(axis=1, keepdims=True))
    return np.sqrt(counts, dtype=np.float64).astype(np.float32).ravel()


def histogram_features(dataset: ReidDataset) -> Features:
    """Query and gallery histograms of a synthetic set, to be scored like any model's features."""
    origin: dict[str, object] = {
        "model": f"colour histogram of the true person, {STRIPES} stripes, {BINS}^3 bins",
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
    }
    return Features(_features(dataset.query), _features(dataset.gallery), origin=origin)


def _features(samples: Sequence[Sample]) -> FeatureSet:
    rows = []
    for sample in samples:
        image = np.asarray(read_image(sample.path))
        rows.append(colour_histogram(image, load_mask(sample.path, *image.shape[:2])))
    return FeatureSet(
        features=np.stack(rows),
        pids=np.array([sample.pid for sample in samples], np.int64),
        camids=np.array([sample.camid for sample in samples], np.int64),
        names=np.array([sample.path.name for sample in samples]),
    )
