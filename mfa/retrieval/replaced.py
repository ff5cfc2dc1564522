"""One query with another descriptor: what an edited picture would find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mfa.records import Features


def with_descriptor(features: Features, row: int, descriptor: np.ndarray) -> Features:
    """The features of one query alone, with ``descriptor`` (D,) instead of its own.

    Args:
        features: query and gallery.
        row: of the query.
        descriptor: as the network made it.
    """
    query = features.query.take(np.array([row]))
    return replace(features, query=replace(query, features=descriptor[None].astype(np.float32)))
