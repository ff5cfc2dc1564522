"""Timing two or more ways side by side."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median


def seconds_each(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of every way, ``repeats`` times, taking turns after one untimed turn."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(above: list[float], below: list[float]) -> float:
    """Median over the turns of one time by the other."""
    return median(a / b for a, b in zip(above, below, strict=True))
