from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from mfa.datasets.loading.threads import THREADS, ahead, in_threads

WAYS = pytest.mark.parametrize("way", [in_threads, ahead])
Way = Callable[[Callable[[int], Any], Any], Iterator[Any]]


@WAYS
@pytest.mark.parametrize("count", [0, 1, 4, 5, 1000])
def test_results_are_complete_and_in_order(way: Way, count: int) -> None:
    assert list(way(lambda number: number * number, range(count))) == [i * i for i in range(count)]


@WAYS
def test_an_error_comes_when_its_item_is_due(way: Way) -> None:
    def inverse(number: int) -> float:
        return 1 / (9 - number)

    results = way(inverse, range(20))
    assert [next(results) for _ in range(8)] == [1 / (9 - i) for i in range(8)]
    with pytest.raises(ZeroDivisionError):
        list(results)


@WAYS
def test_the_work_is_done_by_other_threads(way: Way) -> None:
    here = threading.get_ident()
    assert here not in set(way(lambda _: threading.get_ident(), range(10)))


def test_one_item_is_prepared_ahead_and_no_more() -> None:
    begun: list[int] = []
    second = threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item == 1:
            second.set()
        return item

    def items() -> Iterable[int]:
        yield from range(5)

    results = ahead(work, items())
    assert next(results) == 0
    assert second.wait(10)
    assert begun == [0, 1]
    results.close()  # type: ignore[attr-defined]
    assert begun == [0, 1]


def test_few_results_wait_to_be_taken() -> None:
    begun: list[int] = []
    results = in_threads(begun.append, range(100_000))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= 4 * (4 * THREADS + 1)
