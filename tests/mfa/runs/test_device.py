"""Which device a process computes on, and how it talks to the others."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import distributed

from mfa.errors import InputError
from mfa.runs.device import choose_device
from mfa.training.distributed import joined


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("two_gpus")
def test_each_process_has_the_gpu_of_its_number() -> None:
    for rank in (0, 1):
        for asked in (None, "cuda", torch.device("cuda")):
            assert choose_device(asked, local_rank=rank) == torch.device("cuda", rank)
    assert choose_device("cuda:1", local_rank=0) == torch.device("cuda", 1)
    assert choose_device("cpu", local_rank=1) == torch.device("cpu")
    with pytest.raises(InputError, match="no cuda:2: PyTorch sees 2 CUDA devices"):
        choose_device("cuda", local_rank=2)


def test_without_a_gpu_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device(local_rank=1) == torch.device("cpu")


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("device", "backend", "set_to"), [("cpu", "gloo", []), ("cuda:1", "nccl", ["cuda:1"])]
)
def test_the_backend_follows_the_device_and_the_group_is_left(
    monkeypatch: pytest.MonkeyPatch, device: str, backend: str, set_to: list[str]
) -> None:
    calls: list[Any] = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "set_device", lambda chosen: calls.append(str(chosen)))
    monkeypatch.setattr(distributed, "init_process_group", calls.append)
    monkeypatch.setattr(distributed, "destroy_process_group", lambda: calls.append("left"))
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    with pytest.raises(ZeroDivisionError), joined(torch.device(device)) as ranks:
        _ = 1 / (ranks.rank - 1)
    assert calls == [*set_to, backend, "left"]
