"""Descriptors with what is needed to score them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mfa.datasets.loading.images import LoadedImages
from mfa.progress import Progress, part_of, reporting
from mfa.records import Features, FeatureSet, ReidDataset, Sample
from mfa.retrieval import feature_file


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


def query_and_gallery(
    data: ReidDataset,
    read: Callable[[tuple[Sample, ...]], LoadedImages],
    embed: Callable[[LoadedImages, Progress], np.ndarray],
    *,
    branches: tuple[tuple[str, int], ...],
    origin: Callable[[list[str]], dict[str, object]],
    file: Path | None,
    progress: bool | Progress,
) -> Features:
    """Features of both lists of ``data``, read from ``file`` where it is there, else written to it.

    Args:
        data: with query and gallery.
        read: loads the pictures of a list.
        embed: loaded pictures to vectors (N, D).
        branches: (name, width) of the descriptor's parts.
        origin: what made the features, given the pictures that were left out.
        file: where they are kept; ``None`` keeps none.
        progress: see ``mfa.progress``.
    """
    if file is not None and file.is_file():
        return feature_file.read(file)
    sides: dict[str, FeatureSet] = {}
    left_out: list[str] = []
    middle = len(data.query) / max(len(data.query) + len(data.gallery), 1)
    with reporting(progress, f"features of {data.name}") as report:
        for side, samples, span in (
            ("query", data.query, (0, middle)),
            ("gallery", data.gallery, (middle, 1)),
        ):
            pictures = read(samples)
            left_out += [f"{sample.path.name}: {why}" for sample, why in pictures.left_out]
            sides[side] = feature_set(embed(pictures, part_of(report, *span)), pictures)
    made = Features(**sides, branches=branches, origin=origin(left_out))
    if file is None:
        return made
    feature_file.write(file, made)
    return feature_file.read(file)  # names the file in its origin, the first time as the second
