"""The published dense re-ranking, as the bench writes it, gives what the workbench gives."""

from __future__ import annotations

import numpy as np

from benchmarks.rerank import dense, market_size, reranked


def test_dense_and_sparse_are_equal() -> None:
    features = market_size(40)
    np.testing.assert_allclose(reranked(features), dense(features), atol=1e-6)
