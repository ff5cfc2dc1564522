"""Which device a process computes on, and in what precision."""

from __future__ import annotations

import pytest
import torch

from mfa.errors import InputError
from mfa.runs.device import choose_device, clock


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("two_gpus")
def test_each_process_has_the_gpu_of_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for rank in (0, 1):
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        for asked in (None, "cuda", torch.device("cuda")):
            assert choose_device(asked) == torch.device("cuda", rank)
        assert choose_device("cuda:1") == torch.device("cuda", 1)
        assert choose_device("cpu") == torch.device("cpu")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(InputError, match="no cuda:2: PyTorch sees 2 CUDA devices"):
        choose_device("cuda")


def test_without_a_gpu_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_device() == torch.device("cpu")


def test_a_clock_waits_for_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    assert clock(torch.device("cpu")) <= clock(torch.device("cuda:1"))
    assert waited == [torch.device("cuda:1")]
