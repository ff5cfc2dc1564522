"""Small trees in the published layouts, and a table of counts that fits them."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from mfa.datasets.readers import counts

# A busy machine is no failure (deadline), a failure comes again (derandomize), and nothing is left
# in the checkout (database).
settings.register_profile("mfa", deadline=None, derandomize=True, database=None)
settings.load_profile("mfa")

HEADER = "dataset,setting,split,identities,images,cameras,source,confidence\n"

MARKET = {
    "bounding_box_train": [
        f"{pid:04}_c{cam}s1_{frame:06}_00.jpg"
        for pid in (2, 7, 10)
        for cam in (1, 2)
        for frame in (1, 2)
    ],
    "query": [f"{pid:04}_c{cam}s1_000009_00.jpg" for pid in (1, 3) for cam in (1, 2)],
    "bounding_box_test": [
        *(f"{pid:04}_c{cam}s1_000005_01.jpg" for pid in (1, 3) for cam in (1, 2)),
        "-1_c1s1_000001_01.jpg",
        "0000_c1s1_000001_01.jpg",
        "0000_c2s1_000001_01.jpg.jpg",
    ],
}

PARTIAL = {
    folder: [f"{pid:03}_{i:03}.jpg" for pid in (1, 2, 3) for i in (1, 2)]
    for folder in ("occluded_body_images", "partial_body_images", "whole_body_images")
}

COUNTS = (
    HEADER
    + "market1501,,train,3,12,2,test,read\n"
    + "market1501,,query,2,4,2,test,read\n"
    + "market1501,,gallery,2,7,2,test,read\n"
    + "partial_reid,,query,3,6,,test,read\n"
    + "partial_reid,,gallery,3,6,,test,read\n"
)


def picture(text: str) -> bytes:
    """A small JPEG whose colours depend on ``text``, so that no two files are equal."""
    rng = np.random.default_rng(zlib.crc32(os.fsencode(text)))
    stream = BytesIO()
    Image.fromarray(rng.integers(0, 255, (16, 8, 3)).astype(np.uint8)).save(stream, format="JPEG")
    return stream.getvalue()


def write_tree(root: Path, tree: dict[str, Iterable[str]]) -> Path:
    """Pictures of the given names in the given folders below ``root``."""
    for folder, names in tree.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            (root / folder / name).write_bytes(picture(f"{folder}/{name}"))
    return root


@pytest.fixture
def tree() -> Callable[[Path, dict[str, Iterable[str]]], Path]:
    """``write_tree``."""
    return write_tree


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """A data root with a small Market-1501 in it."""
    write_tree(tmp_path / "root/market1501", MARKET)
    return tmp_path / "root"


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """A data root with a small Partial-REID in it."""
    write_tree(tmp_path / "root/partial_reid", PARTIAL)
    return tmp_path / "root"


@pytest.fixture(autouse=True)
def small_counts(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Published counts that the small trees meet; tests marked real ask for the true table."""
    table = tmp_path_factory.mktemp("counts") / "datasets.csv"
    table.write_text(COUNTS)
    monkeypatch.setattr(counts, "TABLE", table)
    return table
