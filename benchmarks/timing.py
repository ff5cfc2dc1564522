"""Timing two or more ways side by side."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch

Clock = Callable[[], float]
"""Gives the seconds since some moment."""


def fair_clock(device: torch.device) -> Clock:
    """The processor's time on one thread of a CPU, which other programs disturb less; else time."""
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    return time.process_time if alone else time.perf_counter


def seconds_each(
    ways: dict[str, Callable[[], object]], repeats: int, clock: Clock = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of every way, ``repeats`` times, taking turns after one untimed turn."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, way in ways.items():
            taken = seconds_of(way, clock)
            if turn:
                seconds[name].append(taken)
    return seconds


def seconds_of(way: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    """Seconds of one call."""
    start = clock()
    way()
    return clock() - start


def finish(device: torch.device) -> None:
    """Wait until a graphics card has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def ratio(above: list[float], below: list[float]) -> float:
    """Median over the turns of one time by the other."""
    return median(a / b for a, b in zip(above, below, strict=True))
