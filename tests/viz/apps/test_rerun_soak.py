"""Thirty runs of one cell leave one app behind: threads, widgets and memory as after the first."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path
from typing import Any

import pytest

import viz
from viz.apps.core import rerun

RUNS = int(os.environ.get("MFA_RERUNS", "30"))
GROWTH = 60
"""MiB."""

APPS = ("ranks", "attention", "branches", "occlusion", "failures", "embedding", "dataset",
        "ablation", "training")  # fmt: skip


def memory() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def opened(name: str, world: Any) -> Any:
    make = viz.apps.opener(name)
    if name == "dataset":
        return make(world.data)
    if name == "ablation":
        return make()
    if name == "training":
        return make(world.root / "reruns", data=world.data)
    return make(world.anchored, data_root=world.root)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("name", APPS)
def test_reruns_of_a_cell_leave_nothing(
    world: Any, monkeypatch: Any, left_over: Any, name: str
) -> None:
    before, outputs = left_over(), []
    for execution in range(RUNS):
        monkeypatch.setattr(rerun, "current_cell", lambda e=execution: (name, f"{e}"))
        app = opened(name, world)
        app.wait(120)
        outputs.append(app)  # IPython keeps every output of a session
        if execution == 2:
            gc.collect()
            held, started = left_over(), memory()
    gc.collect()
    deadline = time.monotonic() + 20
    while left_over() != held and time.monotonic() < deadline:
        time.sleep(0.1)  # threads of closed apps end by themselves
    assert left_over() == held
    assert memory() - started < GROWTH
    assert [each.closed for each in outputs] == [True] * (RUNS - 1) + [False]
    app.close()
    assert left_over()[0] == before[0]
