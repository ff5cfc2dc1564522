"""What distances are made of: the nearest of a line, and rows that are equal."""

from __future__ import annotations

import numpy as np
import pytest

from mfa.retrieval.distances import equal_rows, smallest


@pytest.mark.parametrize("size", [1, 31, 700, 4099])
def test_the_smallest_are_those_of_a_stable_sort(size: int) -> None:
    rng = np.random.default_rng(size)
    for values in (2, 50, 10**6):  # many ties, some, hardly any
        line = rng.integers(0, values, size).astype(np.float32)
        for k in {1, min(21, size), size}:
            np.testing.assert_array_equal(smallest(line, k), np.argsort(line, kind="stable")[:k])


@pytest.mark.parametrize(("kind", "width"), [(np.float32, 3), (np.float16, 3), (np.float16, 4)])
def test_equal_rows_are_found_in_any_precision(kind: type, width: int) -> None:
    rows = np.random.default_rng(0).permuted(np.arange(width * 6.0)).reshape(6, width).astype(kind)
    rows[4] = rows[5] = rows[1]
    rows[2] = rows[1][::-1]  # the same sum of bits
    copies, originals = equal_rows(rows)
    assert copies.tolist() == [4, 5]
    assert originals.tolist() == [1, 1]
