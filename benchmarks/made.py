"""Made-up features of a dataset's size, and made-up pictures of Market-1501's kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mfa.records import DISTRACTOR, Features, FeatureSet


def made_features(
    *,
    queries: int,
    gallery: int,
    people: int,
    distractors: int,
    cameras: int,
    width: int,
    noise: float,
    seed: int = 0,
) -> Features:
    """A point for each person, and pictures scattered around it.

    Args:
        queries: pictures in the query list.
        gallery: pictures in the gallery, distractors among them.
        people: identities, from 1 on; each is in both lists.
        distractors: gallery pictures of pid 0, each scattered around a point of its own.
        cameras: drawn at random, from 1 on.
        width: columns.
        noise: length of the scatter, where the persons' points have length 1.
        seed: of everything drawn.
    """
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((people + 1 + distractors, width), dtype=np.float32)
    centres /= np.sqrt(np.float32(width))

    def side(count: int, others: int, label: str) -> FeatureSet:
        pids = np.concatenate([np.zeros(others, int), 1 + np.arange(count - others) % people])
        rows = np.concatenate([people + 1 + np.arange(others), pids[others:]])
        features = rng.standard_normal((count, width), dtype=np.float32)
        features *= np.float32(noise / np.sqrt(width))
        features += centres[rows]
        return FeatureSet(
            features=features,
            pids=np.where(rows > people, DISTRACTOR, pids),
            camids=rng.integers(1, cameras + 1, size=count),
            names=np.array([f"{label}{i}" for i in range(count)]),
        )

    return Features(query=side(queries, 0, "query"), gallery=side(gallery, distractors, "gallery"))


def write_market(
    root: Path, *, pids: int = 0, images: int = 0, queries: int = 0, gallery: int = 0
) -> Path:
    """Write blurred noise as JPEG of 128x64, which takes as long to decode as a photograph.

    Args:
        root: gets a folder ``synthetic`` in Market-1501's layout, as ``load_dataset`` reads it.
        pids: people to train on.
        images: pictures of each of them.
        queries: pictures to query with, each of another person.
        gallery: pictures to search, of the same people by another camera.

    Returns:
        ``root``. No list is empty: at least one person is in each.
    """
    rng = np.random.default_rng(0)
    train = [
        (pid, 1 + i % 6, i) for pid in range(1, max(pids, 1) + 1) for i in range(max(images, 1))
    ]
    people = 5000 + np.arange(max(queries, 1))
    query = [(int(pid), 1, 0) for pid in people]
    found = [(int(people[i % len(people)]), 2, i) for i in range(max(gallery, 1))]
    lists = {"bounding_box_train": train, "query": query, "bounding_box_test": found}
    for folder, pictures in lists.items():
        place = root / "synthetic" / folder
        place.mkdir(parents=True)
        for pid, camera, frame in pictures:
            name = f"{pid:04}_c{camera}s1_{frame:06}_00.jpg"
            coarse = Image.fromarray(rng.integers(0, 256, (32, 16, 3), dtype=np.uint8))
            coarse.resize((64, 128), Image.Resampling.BICUBIC).save(place / name, quality=90)
    (root / "synthetic/synthetic.json").write_text("{}")  # pictures of nobody, as the drawn ones
    return root
