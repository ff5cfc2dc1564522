"""How batches reach the device. Streams are played here, so that no GPU is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from mfa.config import Config
from mfa.processes import ALONE
from mfa.records import ReidDataset
from mfa.training.batches import TrainingBatches
from mfa.training.transfer import one_ahead, send

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


class Streams:
    """Plays ``torch.cuda``'s streams and writes down what is asked of them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.log: list[str] = []
        self.now = "main"
        patch.setattr(torch.cuda, "Stream", lambda device: "side")
        patch.setattr(torch.cuda, "stream", self.inside)
        main = SimpleNamespace(
            wait_stream=lambda stream: self.log.append(f"main waits for {stream}")
        )
        patch.setattr(torch.cuda, "current_stream", lambda device: main)

    @contextmanager
    def inside(self, stream: str) -> Iterator[None]:
        self.now = stream
        yield
        self.now = "main"

    def prepare(self, number: int) -> SimpleNamespace:
        self.log.append(f"prepare {number} on {self.now}")
        return SimpleNamespace(number=number, images=Kept.of(self.log, number), targets=None)


class Kept(Tensor):
    """A tensor that writes down for which stream its memory is kept."""

    log: list[str]
    number: int

    @classmethod
    def of(cls, log: list[str], number: int) -> Kept:
        made = torch.zeros(1).as_subclass(cls)
        made.log, made.number = log, number
        return made

    def record_stream(self, stream: object) -> None:
        assert stream is torch.cuda.current_stream(GPU)
        self.log.append(f"keep {self.number}")


def test_a_gpu_prepares_the_next_batch_on_a_stream_of_its_own_before_each_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = Streams(monkeypatch)
    for batch in one_ahead(range(3), streams.prepare, GPU):
        assert streams.now == "main"
        streams.log.append(f"step {batch.number}")
    assert streams.log == [
        "prepare 0 on side",
        *("main waits for side", "keep 0", "prepare 1 on side", "step 0"),
        *("main waits for side", "keep 1", "prepare 2 on side", "step 1"),
        *("main waits for side", "keep 2", "step 2"),
    ]


def test_no_batches_and_an_error_on_the_way_come_through(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Streams(monkeypatch)
    assert list(one_ahead([], streams.prepare, GPU)) == []

    def broken() -> Iterator[int]:
        yield 0
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(one_ahead(broken(), streams.prepare, GPU))


def test_without_a_gpu_nothing_is_prepared_early() -> None:
    log = []
    for number in one_ahead(range(2), lambda n: log.append(f"prepare {n}") or n, CPU):  # type: ignore[func-returns-value]
        log.append(f"step {number}")
    assert log == ["prepare 0", "step 0", "prepare 1", "step 1"]


def test_a_gpu_is_sent_pinned_memory_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    pinned = SimpleNamespace(to=lambda *args, **keys: calls.append((args, keys)))
    monkeypatch.setattr(Tensor, "pin_memory", lambda self: pinned)
    send(torch.zeros(2), GPU)
    assert calls == [((GPU,), {"non_blocking": True})]


@pytest.mark.gpu
def test_a_real_gpu_gets_the_batches_that_the_cpu_gets(
    tiny_config: Config, tiny_data: ReidDataset
) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    here, there = (
        list(TrainingBatches(tiny_config, tiny_data, device, ALONE, None).epoch(1))
        for device in (CPU, GPU)
    )
    for expected, found in zip(here, there, strict=True):
        assert found.indices == expected.indices
        assert torch.equal(found.labels.cpu(), expected.labels)
        assert torch.allclose(found.images.cpu(), expected.images, atol=1e-6)
