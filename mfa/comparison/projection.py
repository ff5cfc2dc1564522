"""Descriptors as points on a plane: PCA, t-SNE, or UMAP where it is installed.

PCA keeps directions and scale and says how much of the variance it shows; t-SNE and UMAP keep
neighbours only: distances between groups mean nothing there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd

from mfa.errors import InputError, extra
from mfa.records import DISTRACTOR, JUNK, Features, FeatureSet

Method = Literal["pca", "tsne", "umap"]

Projection = Callable[[np.ndarray, Method, int], tuple[np.ndarray, str]]
"""Rows (N, D), a method and a seed to places (N, 2), and what the axes are."""


def project(features: np.ndarray, method: Method = "pca", seed: int = 0) -> tuple[np.ndarray, str]:
    """L2-normalised rows of ``features`` (N, D) on a plane, (N, 2), and what the axes are.

    The same seed gives the same plane.
    """
    if len(features) < 3:
        raise InputError(f"a map of the descriptors needs 3 pictures or more, got {len(features)}")
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    rows = features / np.maximum(norms, 1e-12)
    if method == "pca":
        from sklearn.decomposition import PCA

        model = PCA(2, random_state=seed)
        placed = model.fit_transform(rows)
        return placed, f"PCA, {100 * model.explained_variance_ratio_.sum():.0f} % of the variance"
    if method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(rows) - 1) / 3)
        tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, metric="cosine")
        return tsne.fit_transform(rows), f"t-SNE, perplexity {perplexity:.0f}"
    if method == "umap":
        with extra("umap"):
            from umap import UMAP
        neighbors = min(15, len(rows) - 1)
        model = UMAP(n_neighbors=neighbors, metric="cosine", random_state=seed, n_jobs=1)
        return model.fit_transform(rows), f"UMAP, {neighbors} neighbours"
    raise InputError(f"method is pca, tsne or umap, got {method!r}")


def measure_embedding(
    features: Features,
    *,
    people: int = 8,
    branch: str | None = None,
    method: Method = "tsne",
    seed: int = 0,
    projection: Projection = project,
) -> pd.DataFrame:
    """Query and gallery pictures of some people, placed on a plane.

    Args:
        features: both sides of a scored retrieval.
        people: identities shown, those with most pictures first; junk and distractors never.
        branch: use this branch's columns alone.
        method: see ``project``.
        seed: of the projection.
        projection: what places the vectors; an app runs ``project`` in a process that can be ended.

    Returns:
        ``x``, ``y``, ``pid``, ``camid``, ``name``, ``side`` and ``row`` (in the
        features of that side); ``attrs`` has ``axes``, the plane's name, and ``people``, all shown.

    Raises:
        InputError: no such branch; see ``project``.
    """
    columns = slice(None)
    if branch is not None:
        named = dict(features.columns())
        if branch not in named:
            raise InputError(f"no branch {branch!r}; the descriptor has {', '.join(named)}")
        columns = named[branch]
    sides = {"query": features.query, "gallery": features.gallery}
    pids = np.concatenate([side.pids for side in sides.values()])
    known, counts = np.unique(pids[~np.isin(pids, (JUNK, DISTRACTOR))], return_counts=True)
    shown = known[np.argsort(-counts, kind="stable")[:people]]
    table = pd.concat([_rows(name, side, shown) for name, side in sides.items()])
    vectors = [side.features[np.isin(side.pids, shown)][:, columns] for side in sides.values()]
    plane, axes = projection(np.concatenate(vectors), method, seed)
    table = table.assign(x=plane[:, 0], y=plane[:, 1]).reset_index(drop=True)
    table.attrs |= {"axes": axes, "people": np.sort(shown).tolist()}
    return table


def _rows(name: str, side: FeatureSet, pids: np.ndarray) -> pd.DataFrame:
    kept = np.isin(side.pids, pids)
    rows = np.arange(len(side))
    columns = {"pid": side.pids, "camid": side.camids, "name": side.names, "row": rows}
    return pd.DataFrame({key: value[kept] for key, value in columns.items()}).assign(side=name)
