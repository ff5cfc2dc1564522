"""An external model, scored like a run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from mfa.datasets.loading.images import LoadedImages, load_images
from mfa.errors import InputError
from mfa.inference.external.embedder import External
from mfa.inference.external.plausible import doubt_inputs
from mfa.inference.extract import query_and_gallery
from mfa.progress import Progress
from mfa.records import Features, ReidDataset, Sample
from mfa.retrieval import metrics
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
    height, width = model.size

    def read(samples: tuple[Sample, ...]) -> LoadedImages:
        if not samples:
            raise InputError(f"{data.name} at {data.root} has no query or no gallery pictures")
        # Decoded on the fly: pictures of this size are read once, features are what is kept.
        return load_images(samples, height=height, width=width, cache=None)

    return query_and_gallery(
        data,
        read,
        lambda pictures, rows, within: _vectors(model, pictures, rows, flip, within),
        branches=model.branches,
        origin=lambda left_out: _origin(model, data, flip, left_out),
        # Without a hash nobody can tell whether kept features are this model's.
        file=keep / _file_name(model, data, flip) if keep is not None and model.hash else None,
        progress=progress,
    )


def _file_name(model: External, data: ReidDataset, flip: bool) -> str:
    height, width = model.size
    inputs = re.sub(r"\W+", "_", model.inputs.words)
    name = f"{model.name}-{model.hash}-{height}x{width}-{inputs}-{data.name}"
    return f"{name}-{data.fingerprint[:12]}{'-flip' * flip}.npz"


def _vectors(
    model: External, pictures: LoadedImages, rows: range, flip: bool, progress: Progress
) -> np.ndarray:
    found = []
    for start in range(0, len(rows), BATCH):
        progress(start / len(rows))
        pixels = pictures.batch(rows[start : start + BATCH]).numpy()
        vectors = model.embed(pixels)
        if flip:
            mirrored = np.ascontiguousarray(pixels[..., ::-1])
            vectors = (vectors + model.embed(mirrored)) / np.float32(2)
        found.append(vectors)
    return np.concatenate(found)


def _origin(
    model: External, data: ReidDataset, flip: bool, left_out: list[str]
) -> dict[str, object]:
    doubt = doubt_inputs(model, data.query, data.gallery)
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
        "doubts": [doubt] if doubt else [],
    }
