from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mfa.config import Config
from mfa.datasets.loading.images import LoadedImages, load_images
from mfa.inference.extract import feature_set, query_and_gallery
from mfa.models import ReidNetwork
from mfa.progress import Progress
from mfa.records import Features, ReidDataset, Sample
from mfa.runs.run import Run, open_run


@pytest.fixture
def run(tiny_run: Path) -> Run:
    return open_run(tiny_run, device="cpu")


@pytest.fixture(scope="module")
def pictures(tiny_data: ReidDataset, tiny_config: Config) -> LoadedImages:
    data = tiny_config.data
    return load_images(tiny_data.query, height=data.height, width=data.width, cache=None)


def one_by_one(model: ReidNetwork, pictures: LoadedImages, *, mirrored: bool = False) -> np.ndarray:
    """Picture by picture, branch by branch."""
    rows = []
    for index in range(len(pictures)):
        image = pictures[index].float()[None] / 255
        if mirrored:
            image = torch.stack([image[..., WIDTH - 1 - x] for x in range(WIDTH)], dim=-1)
        with torch.no_grad():
            output = model(image)
        rows.append(np.concatenate([b.embedding[0].numpy() for b in output.branches.values()]))
    return np.stack(rows)


WIDTH = 32


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_rows_are_the_branches_side_by_side(
    run: Run, pictures: LoadedImages, tiny_data: ReidDataset, batch: int
) -> None:
    made = run.embed(pictures, tiny_data, batch=batch)
    assert made.dtype == np.float32
    assert made.shape == (4, sum(run.model.widths.values()))
    np.testing.assert_allclose(made, one_by_one(run.model, pictures), rtol=1e-4, atol=1e-4)


def test_half_precision_is_near_and_is_not_the_same(
    run: Run, pictures: LoadedImages, tiny_data: ReidDataset
) -> None:
    half = replace(run, precision="bfloat16")
    made, rounded = run.embed(pictures, tiny_data), half.embed(pictures, tiny_data)
    assert rounded.dtype == np.float32
    assert np.abs(made - rounded).max() > 0
    cosines = (
        (made * rounded).sum(1) / np.linalg.norm(made, axis=1) / np.linalg.norm(rounded, axis=1)
    )
    assert cosines.min() > 0.99


def test_normalised_rows_are_the_descriptor(
    run: Run, pictures: LoadedImages, tiny_data: ReidDataset
) -> None:
    made = run.embed(pictures, tiny_data)
    with torch.no_grad():
        output = run.model(pictures.batch(range(4)).float() / 255)
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    np.testing.assert_allclose(made / lengths, output.descriptor.numpy(), atol=1e-5)
    assert torch.equal(
        output.embedding, torch.cat([b.embedding for b in output.branches.values()], dim=1)
    )
    assert not np.allclose(lengths, 1, atol=0.1)


def test_flip_is_the_mean_with_the_mirror_image(
    run: Run, pictures: LoadedImages, tiny_data: ReidDataset
) -> None:
    straight = one_by_one(run.model, pictures)
    mirrored = one_by_one(run.model, pictures, mirrored=True)
    assert np.abs(straight - mirrored).max() > 1e-3
    np.testing.assert_allclose(
        run.embed(pictures, tiny_data, flip=True), (straight + mirrored) / 2, rtol=1e-4, atol=1e-4
    )


def test_no_pictures_give_no_rows(run: Run, tiny_data: ReidDataset) -> None:
    empty = LoadedImages([], {}, (64, 32), None)
    assert run.embed(empty, tiny_data).shape == (0, sum(run.model.widths.values()))


def test_the_models_mode_and_statistics_are_put_back(
    run: Run, pictures: LoadedImages, tiny_data: ReidDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = run.model.train()
    statistics = {name: value.clone() for name, value in model.named_buffers()}
    run.embed(pictures, tiny_data)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, statistics[name]) for name, value in model.named_buffers())

    outputs = run.outputs(pictures, tiny_data, batch=2)  # a loop that is left early
    assert len(next(outputs).descriptor) == 2
    assert not model.training
    outputs.close()
    assert model.training

    def fails(images: torch.Tensor, cameras: None) -> None:
        assert not model.training
        raise MemoryError("out of memory")

    monkeypatch.setattr(model, "forward", fails)
    with pytest.raises(MemoryError):
        run.embed(pictures, tiny_data)
    assert model.training


def test_a_feature_set_carries_its_samples() -> None:
    paths = ("a/w.jpg", "a/x.jpg", "b/y.jpg")
    samples = [
        Sample(Path(path), pid, camid)
        for path, pid, camid in zip(paths, (1, 4, -1), (1, 2, -1), strict=True)
    ]
    listed = LoadedImages(samples, {0: "cut short"}, (64, 32), None)
    made = feature_set(np.eye(2, 3, dtype=np.float32), listed)
    assert made.positions is not None
    assert made.positions.tolist() == [1, 2]
    assert made.pids.tolist() == [4, -1]
    assert made.camids.tolist() == [2, -1]
    assert made.names.tolist() == ["x.jpg", "y.jpg"]
    assert made.pids.dtype == np.int64


def test_a_second_job_waits_for_the_features_that_the_first_one_makes(
    tiny_data: ReidDataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It used to end first, and to remove the parts that the other was writing."""
    file, embedded = tmp_path / "run/features/a.npz", []

    def job(embed: Callable[[LoadedImages, range, Progress], np.ndarray]) -> Features:
        return query_and_gallery(
            tiny_data,
            lambda samples: LoadedImages(samples, {}, (64, 32), None),
            embed,
            branches=(("all", 3),),
            origin=lambda left_out: {},
            file=file,
            progress=False,
        )

    def ones(pictures: LoadedImages, rows: range, progress: Progress) -> np.ndarray:
        embedded.append(len(rows))
        return np.ones((len(rows), 3), np.float32)

    with ThreadPoolExecutor(1) as pool:
        second: list[Future[Features]] = []

        def while_another_begins(
            pictures: LoadedImages, rows: range, progress: Progress
        ) -> np.ndarray:
            if not second:
                second.append(pool.submit(job, ones))
                wait(second, timeout=2)
            return ones(pictures, rows, progress)

        first = job(while_another_begins)
        assert np.array_equal(first.gallery.features, second[0].result(60).gallery.features)
    assert embedded == [len(tiny_data.query), len(tiny_data.gallery)]
    assert [left.name for left in file.parent.iterdir()] == ["a.npz"]
    assert "another job makes" in capfd.readouterr().err
