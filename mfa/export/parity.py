"""What an exported file is worth beside the network it was made of."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mfa.inference.evaluate import extract_features, test_pictures
from mfa.inference.external import load_external
from mfa.inference.external.scoring import extract
from mfa.records import ReidDataset
from mfa.retrieval import metrics
from mfa.runs.run import Run

ROUNDS = 5
"""Timings of each batch, by turns; the median counts."""


def measure_parity(
    run: Run, file: Path, data: ReidDataset, *, progress: bool = False
) -> pd.DataFrame:
    """Scores, size and time of ``run`` and of a file exported from it, one row each.

    Columns: ``mAP`` and ``rank1`` on ``data`` in percent; ``cosine`` and ``cosine_min``, mean and
    minimum over the query pictures of the cosine of an embedding and the run's; ``mib``, the size
    of the file's weights and graph; ``ms_1`` and ``ms_64``, milliseconds per picture in batches
    of 1 and of 64, with the same number of threads.
    """
    model = load_external(file, threads=torch.get_num_threads())
    ours = extract_features(run, data, progress=progress)
    theirs = extract(model, data, progress=progress)
    one, other = (unit(side.query.features) for side in (ours, theirs))
    cosines = (one * other).sum(axis=1)
    pixels = test_pictures(run, data, data.query or data.gallery)
    batch = pixels.batch([i % len(pixels) for i in range(64)]).numpy()
    times = {n: _by_turns([_forward(run), model.embed], batch[:n]) for n in (1, 64)}
    scores = [metrics.score(features) for features in (ours, theirs)]
    weights = sum(value.nbytes for value in run.model.state_dict().values())
    return pd.DataFrame(
        {
            "model": [run.name, file.name],
            "mAP": [100 * score.mAP for score in scores],
            "rank1": [100 * score.rank1 for score in scores],
            "cosine": [1.0, cosines.mean()],
            "cosine_min": [1.0, cosines.min()],
            "mib": [weights / 2**20, _size(file) / 2**20],
            "ms_1": [1000 * seconds for seconds in times[1]],
            "ms_64": [1000 * seconds / 64 for seconds in times[64]],
        }
    )


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1, in float64."""
    wide = rows.astype(np.float64)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)


def _forward(run: Run) -> Callable[[np.ndarray], object]:
    def compute(pixels: np.ndarray) -> object:
        with torch.inference_mode(), run.autocast():
            images = torch.from_numpy(pixels).to(run.device).float() / 255
            return run.model(images.contiguous(memory_format=torch.channels_last)).embedding.cpu()

    return compute


def _by_turns(models: list[Callable[[np.ndarray], object]], batch: np.ndarray) -> list[float]:
    """Median seconds of each model on ``batch``."""
    seconds: list[list[float]] = [[] for _ in models]
    for turn in range(ROUNDS + 1):
        for compute, times in zip(models, seconds, strict=True):
            start = time.perf_counter()
            compute(batch)
            if turn:  # the first makes plans and buffers
                times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in seconds]


def _size(file: Path) -> int:
    beside = file.with_suffix(".bin") if file.suffix == ".xml" else None
    return file.stat().st_size + (beside.stat().st_size if beside else 0)
