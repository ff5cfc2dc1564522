"""Threads that prepare pictures: Pillow, simplejpeg and NumPy let others compute meanwhile."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def _cores() -> int:
    """Cores that this process may use, which a container or Slurm may make fewer than all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


THREADS = min(16, _cores())
"""Pictures that are prepared at a time."""

_RUN = 4
"""Items that a thread takes at a time: handing over single small files costs too much."""


def in_threads(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """The results of ``work`` on each item, in order, made by several threads.

    Only a few more results are made than were taken, so that many items need little memory.
    """
    runs = (items[start : start + _RUN] for start in range(0, len(items), _RUN))
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[list[Result]]] = deque()
        for run in runs:
            waiting.append(pool.submit(lambda run: [work(item) for item in run], run))
            if len(waiting) > 4 * THREADS:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The results of ``work`` on each item, in order; a thread makes the next one meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) == 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
