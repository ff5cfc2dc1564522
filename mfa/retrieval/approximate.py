"""Nearest pictures without a scan of the gallery, by FAISS: fast, and some are missed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from mfa.errors import InputError, extra
from mfa.retrieval.distances import normalised
from mfa.retrieval.stored import pieces

Kind = Literal["ivf-pq", "hnsw"]
Search = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def make_index(gallery: np.ndarray, kind: Kind = "hnsw", *, effort: int = 64) -> Search:
    """Build an index of a gallery (G, D) once; it then answers many queries.

    Args:
        gallery: features in memory or on disk (``read_stored(folder).features``).
        kind: ``ivf-pq`` compresses a picture to D / 4 bytes and looks into the lists nearest to a
            query (Jegou et al. 2011); ``hnsw`` keeps float32 and walks a graph of neighbours
            (Malkov and Yashunin 2018).
        effort: lists (``ivf-pq``) or candidates (``hnsw``) that a query looks at: more miss less.

    Returns:
        A function of queries (Q, D) and k: (Q, k) positions and (Q, k) distances (1 - cosine; for
        ``ivf-pq`` estimated), nearest first. Where fewer are found, the position is -1.

    Raises:
        InputError: FAISS is not installed, no such kind, or too few pictures for ``ivf-pq``.
    """
    with extra("scale"):
        import faiss
    width = gallery.shape[1]
    if kind == "hnsw":
        index: Any = faiss.IndexHNSWFlat(width, 32, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efSearch = effort
    elif kind == "ivf-pq":
        lists, codes = min(round(4 * len(gallery) ** 0.5), len(gallery) // 40), width // 4
        if len(gallery) < 10_000 or width % 4:
            raise InputError(
                f"ivf-pq needs 10,000 pictures and a width divisible by 4, got {gallery.shape}",
                "use hnsw",
            )
        index = faiss.index_factory(width, f"IVF{lists},PQ{codes}", faiss.METRIC_INNER_PRODUCT)
        index.nprobe = min(effort, lists)
        index.do_polysemous_training = False  # orders codes for a filter that is not used here
        rows = np.linspace(0, len(gallery) - 1, min(len(gallery), 40 * lists)).astype(int)
        index.train(normalised(gallery[rows]))
    else:
        raise InputError(f"no index {kind!r}; there are ivf-pq and hnsw")
    for _, piece in pieces(gallery):
        index.add(piece)

    def search(query: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        cosines, places = index.search(normalised(query), k)
        return places, 1 - cosines

    return search
