"""Score a run on a dataset: descriptors, cached beside the run, then the ranking.

The dataset need not be the one the run was trained on; the card names both.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from mfa.config import Config, DataConfig
from mfa.datasets import data_root, load_dataset
from mfa.datasets.loading.cache import cache_folder
from mfa.datasets.loading.images import LoadedImages, load_images
from mfa.datasets.readers.folders import further_queries
from mfa.errors import InputError
from mfa.inference.extract import feature_set, query_and_gallery
from mfa.models.separation import SeparationMeter
from mfa.processes import ALONE, ProcessGroup
from mfa.progress import Progress
from mfa.records import Features, ReidDataset, Sample
from mfa.retrieval import metrics, protocols
from mfa.retrieval.distances import Metric
from mfa.retrieval.gallery import GroupedGallery
from mfa.retrieval.protocol_card import split_words
from mfa.retrieval.results import RetrievalResult
from mfa.runs.run import Run
from mfa.runs.side_information import camera_statement


def evaluate(
    run: Run,
    data: ReidDataset | str | None = None,
    *,
    data_root: Path | None = None,
    flip: bool = False,
    camera_filter: bool = True,
    distance: Metric = "cosine",
    progress: bool | Progress = False,
) -> RetrievalResult:
    """Score ``run`` on the query and gallery of ``data``.

    Args:
        run: a trained run, or ``mfa.untrained(config)``.
        data: a dataset or its name; by default the one the run was trained on.
        data_root: where datasets lie, for a name.
        flip: take the mean embedding of each picture and its mirror image.
        camera_filter: see ``mfa.retrieval.metrics.score``.
        distance: ``cosine`` or ``euclidean``.
        progress: see ``mfa.progress``.

    Raises:
        InputError: no such data, or nothing in it can be scored.
    """
    data = resolve(run, data, data_root)
    features = extract_features(run, data, flip=flip, progress=progress)
    return metrics.score(features, camera_filter=camera_filter, distance=distance)


def resolve(run: Run, data: ReidDataset | str | None, root: Path | None = None) -> ReidDataset:
    """The dataset meant: itself, by name, or the one ``run`` was trained on."""
    if isinstance(data, ReidDataset):
        return data
    name = data or run.checkpoint.facts.get("dataset")
    if not name:
        raise InputError("say which dataset to score on: these weights were not trained on one")
    return load_dataset(str(name), data_root(root))


def pool_queries(
    run: Run, data: ReidDataset, features: Features, *, flip: bool = False
) -> Features:
    """Multi-query: each query becomes the mean of its person's pictures by its camera.

    They are Market-1501's ``gt_bbox`` where that folder lies beside the lists, else those of the
    query list itself. ``flip`` as for ``features``.
    """
    samples = further_queries(data.root, data.query)
    if not samples:
        return protocols.multi_query(features)
    pictures = test_pictures(run, data, samples)
    rows = run.embed(pictures, data, flip=flip)
    return protocols.multi_query(features, feature_set(rows, pictures))


def extract_features(
    run: Run,
    data: ReidDataset,
    *,
    flip: bool = False,
    progress: bool | Progress = False,
    ranks: ProcessGroup = ALONE,
) -> Features:
    """Query and gallery descriptors of ``run``; read from the run's folder where they are there.

    Arguments as in ``evaluate``; ``ranks`` as in ``query_and_gallery``.

    Raises:
        InputError: the dataset has no query or gallery, or none of their pictures can be read.
    """
    return query_and_gallery(
        data,
        lambda samples: test_pictures(run, data, samples),
        lambda pictures, rows, within: run.embed(
            pictures, data, rows=rows, flip=flip, progress=within
        ),
        branches=tuple(run.model.widths.items()),
        origin=lambda left_out: _origin(run, data, flip, left_out),
        file=_feature_path(run, data, flip),
        progress=progress,
        ranks=ranks,
    )


def test_pictures(run: Run, data: ReidDataset, samples: tuple[Sample, ...]) -> LoadedImages:
    """Pictures of some of ``data``'s samples at the run's input size; refused where none are."""
    return _pictures(run.config.data, data, samples)


def check_scorable(config: Config, data: ReidDataset) -> None:
    """Find out before a training by ``config`` whether its run can be scored on ``data``.

    Pictures are decoded into the cache, where the scoring finds them.
    """
    readable = (_pictures(config.data, data, side) for side in (data.query, data.gallery))
    query, gallery = (feature_set(np.zeros((len(s), 1), np.float32), s) for s in readable)
    features = Features(query, gallery)
    grouped = GroupedGallery(features.query, features.gallery, camera_filter=True)
    try:
        metrics.refuse_if_nothing_counts(features, grouped, grouped.positives())
    except InputError as error:
        raise InputError(f"{data.name} at {data.root}: {error}") from error


def _pictures(config: DataConfig, data: ReidDataset, samples: tuple[Sample, ...]) -> LoadedImages:
    if not samples:
        lists = {"query": data.query, "gallery": data.gallery}
        empty = " and no ".join(split for split, pictures in lists.items() if not pictures)
        raise InputError(
            f"{data.name} at {data.root} has no {empty} pictures, so nothing can be scored on it; "
            "score on another dataset (--data NAME), or list pictures to search with and in"
        )
    return load_images(
        samples,
        height=config.height,
        width=config.width,
        cache=cache_folder(data.root) if config.cache else None,
    )


def measure_separation(run: Run, data: ReidDataset) -> dict[str, float]:
    """Centroids, cosine between maps, order and R^2 over the query pictures, in eval mode.

    See ``mfa.models.separation.SeparationMeter.result`` for the figures.
    """
    meter = SeparationMeter()
    for output in run.outputs(test_pictures(run, data, data.query), data):
        meter.update(output)
    return meter.result()


def _feature_path(run: Run, data: ReidDataset, flip: bool) -> Path | None:
    """Named by weights, data and how they are used: none can change behind a cached file."""
    if run.path is None:
        return None
    how = "-flip" * flip + ("" if run.precision == "float32" else f"-{run.precision}")
    return run.path / "features" / f"{data.name}-{data.fingerprint[:12]}-{run.hash}{how}.npz"


def _origin(run: Run, data: ReidDataset, flip: bool, left_out: list[str]) -> dict[str, object]:
    return {
        "dataset": data.name,
        "fingerprint": data.fingerprint,
        "scored_on": data.name,
        "split": split_words(data),
        "feature": "BNNeck embeddings of all branches, concatenated",
        "flip": flip,
        "precision": run.precision,
        "input_size": f"{run.config.data.height}x{run.config.data.width}",
        "seed": run.config.seed,
        "checkpoint": run.hash,
        "model": run.config.name,
        "epochs": run.checkpoint.epoch,
        "trained_on": _trained_on(run),
        "left_out": left_out,
        "doubts": _doubts(run, data),
        "torch": torch.__version__,
        **camera_statement(run, data),
        **({"notes": notes} if (notes := run.checkpoint.facts.get("notes")) else {}),
    }


def _doubts(run: Run, data: ReidDataset) -> list[str]:
    facts = run.checkpoint.facts
    known = facts.get("fingerprint", data.fingerprint)
    if facts.get("dataset") != data.name or known == data.fingerprint:
        return []
    return [
        f"this {data.name} is not the one that {run.name} was trained on: names, labels or "
        "pictures differ"
    ]


def _trained_on(run: Run) -> str:
    facts = run.checkpoint.facts
    authors = f"data of its authors ({facts['imported']})" if "imported" in facts else "nothing"
    return str(facts.get("dataset", authors))
