"""What a process does alone or with others that are not there, and how a group is left."""

from __future__ import annotations

import atexit
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import distributed, nn

from mfa.cli import COMMANDS, run
from mfa.errors import InputError
from mfa.inference import parts
from mfa.processes import ALONE, ProcessGroup, joined
from mfa.progress import Progress, silent


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """This process takes itself for the second of two; what it asks of PyTorch."""
    calls: list[str] = []

    def join(backend: str) -> None:
        calls.append(backend)
        distributed.group.WORLD = object()  # type: ignore[assignment]

    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(torch.cuda, "set_device", lambda chosen: calls.append(str(chosen)))
    monkeypatch.setattr(distributed, "init_process_group", join)
    monkeypatch.setattr(atexit, "register", lambda work: calls.append(work.__name__))
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    yield calls
    distributed.group.WORLD = None


def test_alone_without_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    model, rows = nn.Linear(2, 2), torch.ones(2, 3)
    with joined("cpu") as ranks:
        assert ranks == ALONE == ProcessGroup(rank=0, world=1)
        assert ranks.writes
        assert ranks.wrap(model) is model
        assert ranks.rows(rows) is rows
        assert ranks.from_first(lambda: 3) == 3
        assert ranks.from_all(3) == [3]
    assert not ProcessGroup(rank=1, world=2).writes


@pytest.mark.parametrize(
    ("device", "asked"), [("cpu", ["gloo"]), ("cuda:1", ["cuda:1", "cpu:gloo,cuda:nccl"])]
)
def test_a_process_joins_once_by_its_device_and_leaves_at_its_end(
    calls: list[str], device: str, asked: list[str]
) -> None:
    with pytest.raises(ZeroDivisionError), joined(device) as ranks:
        _ = 1 / (ranks.rank - 1)
    with joined(device):
        pass
    assert calls == [*asked, "destroy_process_group"]


@pytest.mark.usefixtures("calls")
def test_the_end_of_another_process_is_a_sentence() -> None:
    before = signal.getsignal(signal.SIGTERM)
    closed = RuntimeError("[../gloo/transport/tcp/pair.cc:547] Connection closed by peer")
    for end in (lambda: os.kill(os.getpid(), signal.SIGTERM), lambda: _raise(closed)):
        stopped = pytest.raises(InputError, match="process 1 of 2 stopped, because another")
        with stopped, joined("cpu"):
            end()
    assert signal.getsignal(signal.SIGTERM) == before
    with pytest.raises(RuntimeError, match="a fault of ours"), joined("cpu"):
        _raise(RuntimeError("a fault of ours"))


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.usefixtures("calls")
def test_other_commands_are_refused_in_several_processes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("mfa", COMMANDS, ["compare", "a", "b"]) == 2
    assert "mfa compare works in one process" in capsys.readouterr().err


class Share(ProcessGroup):
    """One of several processes that run one after the other."""

    def from_first(self, work: Any) -> Any:
        return work()

    def from_all(self, value: Any) -> list[Any]:
        return [value]


def test_rows_are_made_in_shares_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART", 3)
    asked: list[range] = []

    def make(rows: range, progress: Progress) -> np.ndarray:
        asked.append(rows)
        return np.array(rows)[:, None] * [1, 10]

    parts.make_parts(make, 10, tmp_path, Share(rank=1, world=2), silent)
    assert asked == [range(3, 6), range(9, 10)]
    (tmp_path / "3-6-of-10.npy").write_bytes(b"half")  # damaged, so made again
    parts.make_parts(make, 10, tmp_path, Share(rank=0, world=1), silent)
    assert asked[2:] == [range(0, 3), range(3, 6), range(6, 9)]
    wanted = np.arange(10)[:, None] * [1, 10]
    np.testing.assert_array_equal(parts.read_parts(10, tmp_path), wanted)
