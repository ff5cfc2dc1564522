"""Galleries on disk, exact and by FAISS: how time, memory and recall grow with their size."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.timing import ratio, seconds_each, seconds_of
from mfa.records import Features, FeatureSet
from mfa.retrieval.approximate import Search, make_index
from mfa.retrieval.metrics import score
from mfa.retrieval.stored import StoredDistances, nearest_stored, read_stored, write_stored

SIZES = (100_000, 300_000, 1_000_000)
WIDTH, QUERIES, EACH, K = 256, 512, 20, 10
"""Columns, queries, pictures per person, and neighbours that recall counts."""

TARGETS = {"score_growth": ("<=", 1.3), "peak_bytes_per_picture": ("<=", 1400)}

HEAD = (
    "| gallery pictures | on disk | mAP | score, s | memory to score | exact search, s | IVF-PQ: "
    "build, s | search, s | recall | HNSW: build, s | search, s | recall |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|\n"
)


def run(repeats: int = 5) -> dict[str, Any]:
    """Score and search made-up galleries of 100 thousand, 300 thousand and a million pictures.

    Returns:
        ``score_growth``: seconds per picture of the largest gallery over those of the smallest;
        ``peak_bytes_per_picture``: most that Python and NumPy hold while scoring the largest;
        ``exact_over_hnsw``: search of the largest, one way over the other; ``sizes``: one row per
        size; ``table``: the rows in Markdown.
    """
    with tempfile.TemporaryDirectory() as folder:
        rows = [_measured(Path(folder) / str(size), size, repeats) for size in SIZES]
    first, last = rows[0], rows[-1]
    growth = last["score_seconds"] / last["gallery"] / (first["score_seconds"] / first["gallery"])
    return {
        "score_growth": growth,
        "peak_bytes_per_picture": last["peak_mib"] * 2**20 / last["gallery"],
        "exact_over_hnsw": last["exact_over_hnsw"],
        "sizes": rows,
        "queries": QUERIES,
        "width": WIDTH,
        "repeats": repeats,
        "table": table(rows),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The table of docs/scale.md."""
    return HEAD + "\n".join(
        f"| {row['gallery']:,} | {row['disk_mib']:.0f} MiB | {row['mAP']:.3f} "
        f"| {row['score_seconds']:.1f} | {row['peak_mib']:.0f} MiB | {row['exact_seconds']:.2f} | "
        + " | ".join(
            f"{row[f'{kind}_build_seconds']:.0f} | {row[f'{kind}_seconds']:.3f} "
            f"| {row[f'{kind}_recall']:.3f}"
            for kind in ("ivf-pq", "hnsw")
        )
        + " |"
        for row in rows
    )


def gallery_parts(rows: int, centres: np.ndarray, part: int = 50_000) -> Iterator[FeatureSet]:
    """A gallery around its persons' ``centres``, in parts; every part has a seed of its own."""
    for first in range(0, rows, part):
        places = np.arange(first, min(first + part, rows))
        yield _pictures(places % len(centres), centres, seed=1 + first)


def _pictures(pids: np.ndarray, centres: np.ndarray, seed: int) -> FeatureSet:
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((len(pids), centres.shape[1]), dtype=np.float32)
    cameras, names = rng.integers(1, 7, len(pids)), np.arange(len(pids)).astype(str)
    return FeatureSet(centres[pids] + noise, pids, cameras, names)


def _measured(folder: Path, size: int, repeats: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((size // EACH, WIDTH), dtype=np.float32)
    write_stored(folder, gallery_parts(size, centres), size)
    gallery = read_stored(folder)
    query = _pictures(rng.integers(0, len(centres), QUERIES), centres, seed=0)
    features = Features(query, gallery)
    peak, mean_precision = _peak(features)
    row = {
        "gallery": size,
        "disk_mib": (folder / "features.npy").stat().st_size / 2**20,
        "peak_mib": peak / 2**20,
        "mAP": mean_precision,
    }
    ways: dict[str, Search] = {
        "exact": lambda wanted, k: nearest_stored(wanted, gallery.features, k)
    }
    for kind in ("ivf-pq", "hnsw"):
        row[f"{kind}_build_seconds"] = seconds_of(
            lambda kind=kind: ways.update({kind: make_index(gallery.features, kind)})
        )
    seconds = seconds_each(
        {
            "score": lambda: _scored(features),
            **{name: lambda way=way: way(query.features, K) for name, way in ways.items()},
        },
        repeats,
    )
    return {
        **row,
        **{f"{name}_seconds": median(values) for name, values in seconds.items()},
        **_recalls(ways, query.features),
        "exact_over_hnsw": ratio(seconds["exact"], seconds["hnsw"]),
    }


def _recalls(ways: Mapping[str, Search], query: np.ndarray) -> dict[str, float]:
    """Share of the ``K`` exact neighbours that each other way finds."""
    found = {name: way(query, K)[0] for name, way in ways.items()}
    same = {name: (places[:, :, None] == found["exact"][:, None]) for name, places in found.items()}
    return {f"{name}_recall": float(hit.any(1).mean()) for name, hit in same.items()}


def _scored(features: Features) -> float:
    distances = StoredDistances(features.query.features, features.gallery.features)
    return score(features, distance=distances).mAP


def _peak(features: Features) -> tuple[int, float]:
    tracemalloc.start()
    try:
        mean_precision = _scored(features)
        return tracemalloc.get_traced_memory()[1], mean_precision
    finally:
        tracemalloc.stop()
