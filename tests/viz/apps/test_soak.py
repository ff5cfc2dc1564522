"""Hundreds of changes leave nothing behind: memory, widgets, threads, figures."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest

import viz
from mfa.explain.occlusion_edits import SCENES

CHANGES = int(os.environ.get("MFA_SOAK", "15"))
"""Changes on each app; MFA_SOAK=500 is the whole soak."""

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

GROWTH = 50
"""MiB."""


def memory() -> float:
    """Resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def soaks(world: Any) -> dict[str, tuple[Any, Any]]:
    root, run = world.root, world.anchored
    queries = 10
    return {
        "ranks": (
            lambda: viz.rank_explorer(run, data_root=root),
            lambda n: {"query": n % queries, "k": 3 + n % 5},
        ),
        "attention": (
            lambda: viz.attention_explorer(run, data_root=root),
            lambda n: {"position": n % queries, "opacity": 0.2 + (n % 7) / 10},
        ),
        "branches": (
            lambda: viz.branch_mixer(run, data_root=root),
            lambda n: {"weights": (1.0, 1.0, 1.0, 0.1 + (n % 9) / 10), "query": n % queries},
        ),
        "occlusion": (
            lambda: viz.occlusion_brush(run, data_root=root),
            lambda n: {"down": (n % 11) / 50, "scene": SCENES[n % 4]},
        ),
        "failures": (
            lambda: viz.failure_browser(run, data_root=root),
            lambda n: {"query": n % queries, "start": 0},
        ),
        "dataset": (lambda: viz.dataset_browser(world.data), lambda n: {"start": n % 5}),
        "embedding": (
            lambda: viz.embedding_explorer(run, data_root=root, people=4),
            lambda n: {"colour": ("person", "camera")[n % 2], "people": 3 + n % 3},
        ),
        "ablation": (
            lambda: viz.ablation_explorer(),
            lambda n: {"metric": ("mAP", "rank1")[n % 2]},
        ),
        "training": (
            lambda: viz.training_monitor(root / "training", data=world.data),
            lambda n: {"seed": n, "epochs": 1 + n % 5},
        ),
        "pk_batch": (lambda: viz.lessons.pk_batch(world.data), lambda n: {"number": n % 30}),
    } | {
        name: (getattr(viz.lessons, name), lambda n, field=field: {field: 1 + n % 9})
        for name, field in LESSONS.items()
    }


NAMES = ("ranks", "attention", "branches", "occlusion", "failures", "dataset", "embedding",
         "ablation", "training", "pk_batch", *LESSONS)  # fmt: skip


def test_every_app_is_soaked() -> None:
    class_work = {"predict", "quiz", "quiz_difference"}  # tests/viz/apps/test_class.py
    assert {*NAMES} == {*viz.apps.APPS, *viz.lessons.__all__} - class_work


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("name", NAMES)
def test_changes_leave_nothing_behind(world: Any, left_over: Any, name: str) -> None:
    make, change = soaks(world)[name]
    before = left_over()
    app = make()
    app.wait()
    for number in range(12):  # caches fill
        app.set(**change(number))
        app.wait()
    gc.collect()
    started, held = memory(), left_over()
    for number in range(CHANGES):
        app.set(**change(number))
        app.wait()
    gc.collect()
    assert left_over() == held
    assert memory() - started < GROWTH
    app.close()
    assert left_over() == before
