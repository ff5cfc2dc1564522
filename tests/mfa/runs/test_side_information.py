"""Cameras from the dataset to the network: trained on, scored by, the mean where unknown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mfa import presets
from mfa.config import Config, derive
from mfa.inference.evaluate import evaluate, extract_features
from mfa.inference.evaluate import test_pictures as pictures_of
from mfa.records import NO_CAMERA, ReidDataset, Sample
from mfa.runs.run import Run, open_run
from mfa.runs.side_information import training_cameras
from mfa.training.batches import Batch
from mfa.training.fit import fit
from mfa.training.trainer import Trainer


@pytest.fixture(scope="module")
def config(tiny_config: Config) -> Config:
    peer = presets.peer(tiny_config, "transreid")
    return derive(peer, {"optim.epochs": 1, "optim.warmup_epochs": 0})


@pytest.fixture(scope="module")
def run(config: Config, tiny_data: ReidDataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A TransReID trained on the tiny set, whose training pictures are by cameras 1 and 2."""
    folder = tmp_path_factory.mktemp("told") / "run"
    for _ in fit(config, tiny_data, folder, device="cpu", progress=False):
        pass
    return open_run(folder)


def test_cameras_of_a_list() -> None:
    samples = [Sample(Path("x"), 1, camid) for camid in (5, 2, NO_CAMERA, 5)]
    assert training_cameras(samples) == (2, 5)


def test_training_learns_an_embedding_of_each_camera(
    run: Run, config: Config, tiny_data: ReidDataset
) -> None:
    assert run.config == config
    assert run.checkpoint.cameras == (1, 2)
    embedding = run.checkpoint.part("model")["sie.embedding"]
    assert embedding.shape == (2, 96)
    assert (embedding[0] - embedding[1]).abs().max() > 0
    assert run.cameras_of(tiny_data.query, tiny_data).tolist() == [1] * 4  # type: ignore[union-attr]


def test_each_picture_is_learned_with_its_camera(
    config: Config, tiny_data: ReidDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = derive(config, {"data.flip": 0, "data.pad": 0, "data.erasing": 0})
    made = Trainer(plain, tiny_data, torch.device("cpu"))
    files = made.batches.images.batch(range(24)).float() / 255
    seen = []
    step = made.step

    def spied(batch: Batch, done: float) -> Any:
        places = [int((files == image).flatten(1).all(dim=1).nonzero()) for image in batch.images]
        assert batch.cameras is not None
        seen.append((places, batch.cameras.tolist()))
        return step(batch, done)

    monkeypatch.setattr(made, "step", spied)
    made.run_epoch(1)
    assert seen
    for places, cameras in seen:
        assert cameras == [tiny_data.train[place].camid for place in places]


def test_each_picture_is_scored_by_its_camera(run: Run, tiny_data: ReidDataset) -> None:
    features = extract_features(run, tiny_data)
    pictures = pictures_of(run, tiny_data, tiny_data.gallery)
    images = pictures.batch(range(len(pictures))).float() / 255
    camids = [sample.camid for sample in tiny_data.gallery]
    assert {1, 2, 3} <= set(camids)
    with torch.no_grad():
        alone = [
            run.model(images[i : i + 1], torch.tensor([camid])).embedding[0].numpy()
            for i, camid in enumerate(camids)
        ]
        mean = run.model(images).embedding.numpy()
    np.testing.assert_allclose(features.gallery.features, alone, atol=1e-4)
    by_three = np.array(camids) == 3  # not trained on
    np.testing.assert_allclose(features.gallery.features[by_three], mean[by_three], atol=1e-4)
    assert np.abs(features.gallery.features - mean)[~by_three].max() > 1e-3
    card = evaluate(run, tiny_data).card
    assert card["side_information"] == (
        "camera of each picture; for [3], not trained on, the mean of the others"
    )
    flipped = run.embed(pictures, tiny_data, flip=True)
    with torch.no_grad():
        both = [run.model(x, torch.tensor(camids)).embedding for x in (images, images.flip(3))]
    np.testing.assert_allclose(flipped, (both[0] + both[1]) / 2, atol=1e-4)


def test_cameras_of_another_dataset_are_others(run: Run, tiny_data: ReidDataset) -> None:
    other = replace(tiny_data, name="elsewhere", fingerprint="0" * 32)
    assert run.cameras_of(other.query, other) is None
    pictures = pictures_of(run, tiny_data, tiny_data.query)
    found = extract_features(replace(run, path=None), other)
    np.testing.assert_array_equal(found.query.features, run.embed(pictures, other))
    assert str(found.origin["side_information"]).startswith("mean of the learned cameras")


def test_other_networks_are_told_nothing(tiny_run: Path, tiny_data: ReidDataset) -> None:
    plain = open_run(tiny_run)
    assert plain.cameras_of(tiny_data.query, tiny_data) is None
    assert "side_information" not in evaluate(plain, tiny_data).card


def test_a_training_list_without_cameras_learns_none(
    config: Config, tiny_data: ReidDataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blind = replace(tiny_data, train=tuple(replace(s, camid=NO_CAMERA) for s in tiny_data.train))
    for _ in fit(config, blind, tmp_path / "blind", device="cpu", progress=False):
        pass
    assert open_run(tmp_path / "blind").checkpoint.cameras == ()
    assert "known camera" in capsys.readouterr().err
