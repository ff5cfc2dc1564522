"""Hundreds of changes, and runs of a cell again, leave nothing behind: memory, widgets, threads.

The suite makes a few; ``MFA_SOAK=500 MFA_RERUNS=30`` is the whole soak, app by app with ``-k``.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import viz
from mfa.explain.occlusion_edits import SCENES
from viz.apps.core import rerun

CHANGES = int(os.environ.get("MFA_SOAK", "3"))
RERUNS = int(os.environ.get("MFA_RERUNS", "4"))
FIRST = min(12, CHANGES)
"""Changes that fill the caches; what stays of the others is too much."""

LESSONS = {
    "triplets": "anchor",
    "smoothing": "logit",
    "gem": "p",
    "bnneck": "stretch",
    "stripes": "step",
    "ranked_list": "step",
    "reciprocal": "query",
}
"""A field of every lesson that takes any number from 1 to 9."""

GROWTH = 60
"""MiB."""

QUERIES = 10
ON_A_RUN: dict[str, Callable[[int], dict[str, Any]]] = {
    "ranks": lambda n: {"query": n % QUERIES, "k": 3 + n % 5},
    "attention": lambda n: {"position": n % QUERIES, "opacity": 0.2 + (n % 7) / 10},
    "branches": lambda n: {"weights": (1.0, 1.0, 1.0, 0.1 + n % 9 / 10), "query": n % QUERIES},
    "occlusion": lambda n: {"down": (n % 11) / 50, "scene": SCENES[n % 4]},
    "failures": lambda n: {"query": n % QUERIES, "start": 0},
    "threshold": lambda n: {"threshold": 0.01 + n % 9 / 100, "pair": (n % QUERIES, 1)},
    "embedding": lambda n: {"colour": ("person", "camera")[n % 2], "people": 3 + n % 3},
}
OTHERS: dict[str, Callable[[int], dict[str, Any]]] = {
    "dataset": lambda n: {"start": n % 5},
    "ablation": lambda n: {"metric": ("mAP", "rank1")[n % 2]},
    "training": lambda n: {"seed": n, "epochs": 1 + n % 5},
    "pk_batch": lambda n: {"number": n % 30},
}
SOAKS = ON_A_RUN | OTHERS | {name: (lambda n, f=f: {f: 1 + n % 9}) for name, f in LESSONS.items()}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc"),
]


def memory() -> float:
    """Resident memory of this process in MiB, after what nobody holds is gone."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def opened(name: str, world: Any) -> Any:
    make = viz.apps.opener(name) if name in viz.apps.APPS else getattr(viz.lessons, name)
    if name in ON_A_RUN:
        app = make(world.anchored, data_root=world.root)
    elif name == "training":
        app = make(world.root / "training", data=world.data)
    else:
        app = make(world.data) if name in ("dataset", "pk_batch") else make()
    app.wait(120)
    return app


def test_every_app_is_soaked() -> None:
    class_work = {"predict", "quiz", "quiz_difference"}  # tests/viz/apps/test_class.py
    assert {*SOAKS} == {*viz.apps.APPS, *viz.lessons.__all__} - class_work


@pytest.mark.parametrize("name", SOAKS)
def test_changes_leave_nothing_behind(world: Any, left_over: Any, name: str) -> None:
    before, app = left_over(), opened(name, world)
    for number in range(FIRST + CHANGES):
        if number == FIRST:
            started, held = memory(), left_over()
        app.set(**SOAKS[name](number))
        app.wait()
    grown = memory() - started
    print(f"{name}: {CHANGES} changes, {held} widgets, threads, figures, {grown:+.1f} MiB")
    assert left_over() == held
    assert grown < GROWTH
    app.close()
    assert left_over() == before


@pytest.mark.parametrize("name", viz.apps.APPS)
def test_reruns_of_a_cell_leave_one_app(
    world: Any, monkeypatch: Any, left_over: Any, name: str
) -> None:
    before, outputs = left_over(), []
    for execution in range(RERUNS):
        monkeypatch.setattr(rerun, "current_cell", lambda e=execution: (name, f"{e}"))
        outputs.append(opened(name, world))  # IPython keeps every output of a session
        if execution == 2:
            started, held = memory(), left_over()
    deadline = time.monotonic() + 20
    while left_over() != held and time.monotonic() < deadline:
        time.sleep(0.1)  # threads of closed apps end by themselves
    grown = memory() - started
    print(f"{name}: {RERUNS} runs, {held} widgets, threads, figures, {grown:+.1f} MiB")
    assert left_over() == held
    assert grown < GROWTH
    assert [each.closed for each in outputs] == [True] * (RERUNS - 1) + [False]
    outputs[-1].close()
    assert left_over()[0] == before[0]
