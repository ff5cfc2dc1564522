"""A tiny dataset, a configuration that trains on it in seconds, a run of it; drawn people, too."""

from __future__ import annotations

import importlib.util
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mfa.config import Config, DataConfig, LossConfig, ModelConfig, OptimConfig
from mfa.datasets import load_dataset
from mfa.records import ReidDataset

TRAIN = [
    f"{pid:04}_c{cam}s1_00000{shot}_00.jpg"
    for pid in range(1, 7)
    for cam in (1, 2)
    for shot in (1, 2)
]
QUERY = [f"{pid:04}_c1s1_000001_00.jpg" for pid in range(11, 15)]
GALLERY = [
    *(f"{pid:04}_c{cam}s1_000002_00.jpg" for pid in range(11, 15) for cam in (1, 2, 3)),
    "-1_c2s1_000001_00.jpg",
    "0000_c2s1_000001_00.jpg",
]


def picture(name: str) -> Image.Image:
    """64x32: two colours that are the person's, and light and noise that are the picture's own.

    Those to be tested on look alike, so that no score is perfect.
    """
    pid = name.split("_")[0]
    spread = 80 if int(pid) <= 6 else 6
    upper, lower = np.random.default_rng(zlib.crc32(pid.encode())).integers(-spread, spread, (2, 3))
    own = np.random.default_rng(zlib.crc32(name.encode()))
    noise = 128 + own.integers(-10, 11, 3) + own.integers(-25, 26, (64, 32, 3))
    rows = np.where(np.arange(64)[:, None, None] < 32, upper, lower)
    return Image.fromarray((rows + noise).astype(np.uint8))


def draw_dataset(root: Path, *, gallery: list[str] | None = None) -> Path:
    """Write the tiny set below ``root``, where ``load_dataset("synthetic", root)`` finds it."""
    names = {
        "bounding_box_train": TRAIN,
        "query": QUERY,
        "bounding_box_test": GALLERY if gallery is None else gallery,
    }
    for folder, files in names.items():
        (root / "synthetic" / folder).mkdir(parents=True)
        for name in files:
            picture(name).save(root / "synthetic" / folder / name, quality=95)
    (root / "synthetic/synthetic.json").write_text("{}")
    return root


@pytest.fixture(scope="session")
def draw() -> Callable[..., Path]:
    """``draw_dataset``: a set of one's own, to break."""
    return draw_dataset


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with the tiny set in it: 24 pictures of 6 people to train on. Read only."""
    return draw_dataset(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_data(tiny_root: Path) -> ReidDataset:
    """The tiny set, read."""
    return load_dataset("synthetic", tiny_root)


@pytest.fixture(scope="session")
def tiny_config() -> Config:
    """Two gated branches on a narrow trunk, two epochs of four batches of 3 people x 2."""
    return Config(
        name="tiny",
        seed=3,
        model=ModelConfig(
            trunk="resnet10",
            width=8,
            stride=8,
            cpaa=(4,),
            branches=2,
            gate="guided",
            guide_pooling="gem",
        ),
        loss=LossConfig(warmup=0.5),
        data=DataConfig(height=64, width=32, pids=3, images=2, pad=2),
        optim=OptimConfig(
            optimizer="adamw",
            lr=2e-3,
            weight_decay=0.01,
            epochs=2,
            warmup_epochs=0.5,
            schedule="cosine",
        ),
    )


@pytest.fixture(scope="session")
def trained(
    tmp_path_factory: pytest.TempPathFactory, tiny_config: Config, tiny_data: ReidDataset
) -> Path:
    """The folder of ``tiny_run``, for fixtures that live longer than a test."""
    from mfa.training.fit import fit  # here, so that tests without training need no PyTorch

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    for _ in fit(tiny_config, tiny_data, folder, device="cpu", progress=False):
        pass
    return folder


@pytest.fixture
def tiny_run(trained: Path) -> Path:
    """The folder of an uninterrupted training of ``tiny_config`` on the tiny set. Read only.

    Opened runs keep their features in it; those of earlier tests are removed.
    """
    shutil.rmtree(trained / "features", ignore_errors=True)
    return trained


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the embedding app, and of all apps with it, need jupyter-scatter."""
    if importlib.util.find_spec("jscatter") is not None:
        return
    skip = pytest.mark.skip(reason="jupyter-scatter is not installed: no planes of embeddings")
    for item in items:
        name = item.nodeid.removeprefix("tests/")
        if name.startswith(("viz/apps/test_embedding", "browser/test_lab")) or (
            name.startswith(("viz/apps/", "browser/")) and "[embedding]" in name
        ):
            item.add_marker(skip)


@dataclass(frozen=True)
class World:
    """Drawn people below ``root``, and the folders of two runs with random weights."""

    root: Path
    anchored: Path
    guided: Path
    data: ReidDataset


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """What apps show: a handful of drawn people, and runs like any others. Read only."""
    import torch

    from mfa.models import build_model
    from mfa.presets import variant
    from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, save_checkpoint
    from mfa.synthetic import SyntheticConfig, write

    folder = tmp_path_factory.mktemp("world")
    people = {"train_ids": 4, "test_ids": 6, "train_images": 4, "test_images": 4}
    write(folder / "data", SyntheticConfig(**people, distractors=4))
    data = load_dataset("synthetic", folder / "data")
    config = Config(
        model=ModelConfig(trunk="resnet10", width=8, stride=8),
        data=DataConfig(height=64, width=32, pids=2, images=2, pad=2),
    )
    facts = {"dataset": "synthetic", "fingerprint": data.fingerprint}
    for name in ("anchored", "guided"):
        torch.manual_seed(1)
        chosen, classes = variant(config, name), len(data.train_pids)
        weights = build_model(chosen.model, classes).state_dict()
        tensors = {f"model.{key}": value for key, value in weights.items()}
        (folder / name).mkdir()
        save_checkpoint(Checkpoint(chosen, 1, classes, tensors, facts), folder / name / CHECKPOINT)
    return World(folder / "data", folder / "anchored", folder / "guided", data)
