"""Extraction leaves no tensor behind on another device than the network's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mfa.inference.evaluate import test_pictures as pictures_of
from mfa.models import ReidNetwork
from mfa.records import Branch, Output, ReidDataset
from mfa.runs.run import Run, open_run


@pytest.mark.parametrize("flip", [False, True])
def test_pictures_and_cameras_go_where_the_run_computes(
    tiny_run: Path, tiny_data: ReidDataset, monkeypatch: pytest.MonkeyPatch, flip: bool
) -> None:
    """On ``meta``, a device that is not the CPU; the networks themselves are tested elsewhere."""
    cameras = torch.tensor([sample.camid for sample in tiny_data.query])
    monkeypatch.setattr(Run, "cameras_of", lambda *_: cameras)
    monkeypatch.setattr(Run, "autocast", lambda _: nullcontext())  # there is none for meta
    run = replace(open_run(tiny_run, device="cpu"), device=torch.device("meta"))
    seen = []

    def forward(self: ReidNetwork, images: Tensor, given: Tensor | None = None) -> Output:
        assert given is not None
        seen.append((images.device.type, given.device.type))
        made = {
            name: Branch(images, images, images.new_zeros(len(images), width))
            for name, width in self.widths.items()
        }
        return Output(images, made, images)

    monkeypatch.setattr(type(run.model), "forward", forward)
    monkeypatch.setattr(Tensor, "cpu", lambda self: torch.zeros(self.shape))
    rows = run.embed(pictures_of(run, tiny_data, tiny_data.query), tiny_data, flip=flip)
    assert rows.shape == (4, sum(run.model.widths.values()))
    assert seen == [("meta", "meta")] * (1 + flip)


def test_whole_batches_run_compiled_and_the_rest_as_it_is(
    tiny_run: Path, tiny_data: ReidDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def translated(network: ReidNetwork, options: dict[str, bool]) -> Callable[..., Output]:
        assert options == {"freezing": True}
        assert not network.training

        def call(images: Tensor, cameras: Tensor | None) -> Output:
            seen.append(len(images))
            return network(images, cameras)

        return call

    monkeypatch.setattr(torch, "compile", translated)
    plain, fast = (open_run(tiny_run, "cpu", compile=on) for on in (False, True))
    pictures = pictures_of(plain, tiny_data, tiny_data.gallery)
    assert len(pictures) == 14
    expected = plain.embed(pictures, tiny_data, flip=True, batch=4)
    assert seen == []
    found = fast.embed(pictures, tiny_data, flip=True, batch=4)
    assert seen == [4] * 6  # three batches, each mirrored as well, without the last two pictures
    np.testing.assert_array_equal(found, expected)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_gpu_gives_the_same_descriptors(
    tiny_run: Path, tiny_data: ReidDataset, precision: str
) -> None:
    cpu, gpu = open_run(tiny_run, device="cpu"), open_run(tiny_run, "cuda", precision)
    pictures = pictures_of(cpu, tiny_data, tiny_data.gallery)
    one, two = (run.embed(pictures, tiny_data) for run in (cpu, gpu))
    tolerance = 1e-3 if precision == "float32" else 0.1
    np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance)
