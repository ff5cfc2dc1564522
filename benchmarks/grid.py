"""``python -m benchmarks grid``: the first ten ranks as the apps show them, all of it in memory.

Of Market-1501's size: 15,913 gallery pictures and a descriptor of four branches of 256. The
features are random, since the time does not depend on them; the pictures are drawn noise.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from benchmarks.timing import seconds_of
from mfa.records import Features, FeatureSet, ReidDataset, Sample
from mfa.retrieval.metrics import score
from mfa.retrieval.results import RetrievalResult
from viz.apps.core.images import thumbnail
from viz.grids import rank_cards

TARGETS = {"strip_ms": ("<=", 20)}

DIMENSIONS = 1024
PEOPLE = 750
FILES = 100
"""Picture files; the gallery's names repeat them, so that the bench writes little."""


def run(
    repeats: int = 20, *, queries: int = 512, gallery: int = 15_913, k: int = 10
) -> dict[str, float]:
    """Medians over ``repeats`` queries, each drawn before, so that its pictures are kept.

    Args:
        repeats: queries drawn.
        queries: length of the query list; the drawn ones follow each other in it, so that one
            block of distances serves them (``RetrievalResult.ranking`` computes it when entered).
        gallery: length of the gallery.
        k: ranks shown.

    Returns:
        ``strip_ms``, ranking included; ``ranking_ms`` of it; ``first_ms``, the median with the
        pictures still to be read from disk; ``new_block_ms``, once, entering a block of distances.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = _dataset(Path(folder), queries, gallery)
        result = score(_features(data))
        shown = [position % queries for position in range(repeats)]
        cards = [partial(_cards, result, data, q, k) for q in shown]
        ways: Mapping[str, Sequence[Callable[[], object]]] = {
            "new_block_ms": [partial(result.ranking, 0, k)],
            "first_ms": cards,
            "ranking_ms": [partial(result.ranking, q, k) for q in shown],
            "strip_ms": cards,
        }
        return {name: 1000 * median(map(seconds_of, calls)) for name, calls in ways.items()}


def _cards(result: RetrievalResult, data: ReidDataset, query: int, k: int) -> list[bytes]:
    """The pictures of a row of cards, as a page takes them."""
    (row,) = rank_cards.rows(result, data, [query], k)
    return [thumbnail(card.image.path) for card in (row.query, *row.cards)]


def _dataset(folder: Path, queries: int, gallery: int) -> ReidDataset:
    generator = np.random.default_rng(0)
    files = [folder / f"{number}.jpg" for number in range(FILES)]
    for path in files:
        noise = generator.integers(0, 255, (128, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path, quality=90)

    def samples(count: int, camera: int) -> tuple[Sample, ...]:
        return tuple(
            Sample(files[place % FILES], 1 + place % PEOPLE, camera) for place in range(count)
        )

    return ReidDataset("noise", folder, (), samples(queries, 1), samples(gallery, 2), "none")


def _features(data: ReidDataset) -> Features:
    generator = np.random.default_rng(1)

    def side(samples: tuple[Sample, ...]) -> FeatureSet:
        return FeatureSet(
            generator.normal(size=(len(samples), DIMENSIONS)).astype(np.float32),
            np.array([sample.pid for sample in samples]),
            np.array([sample.camid for sample in samples]),
            np.array([sample.path.name for sample in samples]),
        )

    return Features(side(data.query), side(data.gallery))
