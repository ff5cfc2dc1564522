"""An external model, scored like a run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from mfa.datasets.loading.images import load_images
from mfa.errors import InputError
from mfa.inference.external.embedder import External
from mfa.inference.external.plausible import doubt_inputs
from mfa.inference.extract import feature_set
from mfa.progress import Progress, part_of, reporting
from mfa.records import Features, FeatureSet, ReidDataset, Sample
from mfa.retrieval import feature_file, metrics
from mfa.retrieval.distances import Metric
from mfa.retrieval.protocol_card import split_words
from mfa.retrieval.results import RetrievalResult

BATCH = 64


def evaluate_external(
    model: External,
    data: ReidDataset,
    *,
    flip: bool = False,
    camera_filter: bool = True,
    distance: Metric = "cosine",
    keep: Path | None = None,
    progress: bool | Progress = False,
) -> RetrievalResult:
    """Score an embedder on the query and gallery of ``data``, as ``mfa.evaluate`` does a run.

    Args:
        model: of ``load_external``.
        data: the dataset.
        flip: take the mean vector of each picture and its mirror image.
        camera_filter: see ``mfa.retrieval.metrics.score``.
        distance: ``cosine`` or ``euclidean``.
        keep: folder for the features, read again from there the next time.
        progress: see ``mfa.progress``.

    Raises:
        InputError: the dataset has no query or gallery, or a vector is not finite.
    """
    features = extract(model, data, flip=flip, keep=keep, progress=progress)
    return metrics.score(features, camera_filter=camera_filter, distance=distance)


def extract(
    model: External,
    data: ReidDataset,
    *,
    flip: bool = False,
    keep: Path | None = None,
    progress: bool | Progress = False,
) -> Features:
    """Query and gallery vectors; arguments as in ``evaluate_external``."""
    file = None
    # Without a hash nobody can tell whether kept features are this model's.
    if keep is not None and model.hash:
        mirrored = "-flip" if flip else ""
        height, width = model.size
        seen = re.sub(r"\W+", "_", model.inputs.words)
        file = keep / (
            f"{model.name}-{model.hash}-{height}x{width}-{seen}-{data.name}-"
            f"{data.fingerprint[:12]}{mirrored}.npz"
        )
        if file.is_file():
            return feature_file.read(file)
    sides: dict[str, FeatureSet] = {}
    left_out: list[str] = []
    start = len(data.query) / max(len(data.query) + len(data.gallery), 1)
    spans = {"query": (0.0, start), "gallery": (start, 1.0)}
    with reporting(progress, f"features of {data.name}") as report:
        for split, samples in (("query", data.query), ("gallery", data.gallery)):
            within = part_of(report, *spans[split])
            sides[split], absent = _side(model, data, samples, flip, within)
            left_out += absent
    doubt = doubt_inputs(model, data.query, data.gallery)
    origin = _origin(model, data, flip, left_out) | {"doubts": [doubt] if doubt else []}
    features = Features(sides["query"], sides["gallery"], branches=model.branches, origin=origin)
    if file is None:
        return features
    feature_file.write(file, features)
    return feature_file.read(file)


def _side(
    model: External, data: ReidDataset, samples: tuple[Sample, ...], flip: bool, progress: Progress
) -> tuple[FeatureSet, list[str]]:
    if not samples:
        raise InputError(f"{data.name} at {data.root} has no query or no gallery pictures")
    height, width = model.size
    # Decoded on the fly: pictures of this size are read once, features are what is kept.
    pictures = load_images(samples, height=height, width=width, cache=None)
    rows = []
    for start in range(0, len(pictures), BATCH):
        progress(start / len(pictures))
        pixels = pictures.batch(range(start, min(start + BATCH, len(pictures)))).numpy()
        vectors = model.embed(pixels)
        if flip:
            mirrored = np.ascontiguousarray(pixels[..., ::-1])
            vectors = (vectors + model.embed(mirrored)) / np.float32(2)
        rows.append(vectors)
    absent = [f"{sample.path.name}: {why}" for sample, why in pictures.left_out]
    return feature_set(np.concatenate(rows), pictures), absent


def _origin(
    model: External, data: ReidDataset, flip: bool, left_out: list[str]
) -> dict[str, object]:
    return {
        "dataset": data.name,
        "fingerprint": data.fingerprint,
        "split": split_words(data),
        "feature": f"output of {model.name} ({model.kind}), as it comes",
        "flip": flip,
        "input_size": f"{model.size[0]}x{model.size[1]}",
        "inputs": model.inputs.words,
        "checkpoint": model.hash or "not stated",
        "model": model.name,
        "left_out": left_out,
    }
