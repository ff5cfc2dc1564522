"""The protocol card: what a number needs beside it to mean anything.

Two figures may be compared where their cards agree on data, split, filter and rule.
"""

from __future__ import annotations

import platform

import numpy as np

import mfa
from mfa.records import JUNK, NO_CAMERA, Features, ReidDataset, Sample
from mfa.retrieval.doubts import doubts, knows_cameras

UNSTATED = "not stated"

ORIGIN_FIELDS = (
    *("dataset", "fingerprint", "split", "feature"),
    *("flip", "input_size", "seed", "checkpoint"),
)
"""What only the maker of the features knows; read from ``Features.origin`` under these names."""


def protocol_card(
    features: Features,
    *,
    camera_filter: bool,
    distance: dict[str, object],
    protocol: str = "every gallery picture kept",
) -> dict[str, object]:
    """The card of one scoring, JSON-able.

    Args:
        features: what is scored; the card copies ``origin`` and names what it does not state.
        camera_filter: whether the filter was asked for; the card says whether it could act.
        distance: the ``card`` of the distances, with keys ``distance`` and ``reranking``.
        protocol: how queries and gallery were made of the lists.
    """
    known = features.origin.get("doubts", [])
    stated = {**dict.fromkeys(ORIGIN_FIELDS, UNSTATED), **features.origin}
    stated.setdefault("query_protocol", "single query: one picture each")
    return {
        **stated,
        "protocol": protocol,
        "camera_filter": camera_filter and _can_filter(features),
        "filter": _filter(features, camera_filter),
        "junk": int(np.count_nonzero(features.gallery.pids == JUNK)),
        **distance,
        "ap_rule": "mAP: step rule; mAP_trapezoid: trapezoid rule",
        "ties": "pessimistic: a match ranks after every non-match at the same distance",
        "doubts": [
            *(map(str, known) if isinstance(known, list) else ()),
            *doubts(features, camera_filter=camera_filter),
        ],
        "descriptor_dim": int(features.gallery.features.shape[1]),
        "branches": [name for name, _ in features.branches],
        "versions": {
            "mfa": mfa.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def _can_filter(features: Features) -> bool:
    """Whether a camera filter can act: both sides have a picture with a known camera."""
    return knows_cameras(features.query) and knows_cameras(features.gallery)


def _filter(features: Features, camera_filter: bool) -> str:
    if not camera_filter:
        return "no camera filter is applied"
    if not _can_filter(features):
        return "no camera filter is applied: no camera is known"
    camids = np.concatenate([features.query.camids, features.gallery.camids])
    unknown = np.count_nonzero(camids == NO_CAMERA)
    words = "gallery pictures of the query's person by the query's camera are left out"
    return words + (f"; {unknown} pictures without a camera are never left out" if unknown else "")


def split_words(data: ReidDataset) -> str:
    """Which list of a dataset is searched with which, in words."""
    return f"{_side(data.query, 'query')} against {_side(data.gallery, 'gallery')}"


def _side(samples: tuple[Sample, ...], name: str) -> str:
    """A list by its folder where that tells more than its name: a partial set has three."""
    folders = {sample.path.parent.name for sample in samples}
    known = folders & {"occluded_body_images", "partial_body_images", "whole_body_images"}
    return known.pop() if len(known) == len(folders) == 1 else name
