"""The film of a training: what fixed probe queries look like to the newest weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mfa.explain.record import FUSED
from mfa.records import FeatureSet, ReidDataset
from mfa.retrieval.nearest import nearest
from viz.apps.core.images import SHOWN, laid_over
from viz.apps.core.session import Subject, original
from viz.apps.widgets import Item

CROWD = 60
"""Gallery pictures the probes are ranked among; enough to see them rise, quick to embed."""


def shots(
    subject: Subject, data: ReidDataset, probes: Sequence[int], epoch: int
) -> Iterator[tuple[int, bytes, Item]]:
    """Of each probe its position, its fused map, and how far down its first match is."""
    crowd = _crowd(subject, data, probes)
    for probe in probes:
        sample = data.query[probe]
        pixels = subject.pixels(sample.path)
        maps = subject.maps(pixels)
        found = nearest(crowd, subject.embed(pixels), len(crowd))
        right = found["rank"][(found["pid"] == sample.pid) & (found["camid"] != sample.camid)]
        rank = f"rank {int(right.iloc[0])} of {len(crowd)}" if len(right) else "no match here"
        heat = (maps.raw[FUSED] if len(maps) > 1 else next(iter(maps.raw.values())))[0]
        image = laid_over(original(sample.path, SHOWN), heat, maps.limit)
        title = f"epoch {epoch}"
        item = Item(kind="plain", title=title, sub=rank, alt=f"map of probe {probe}, {title}")
        yield probe, image, item


def _crowd(subject: Subject, data: ReidDataset, probes: Sequence[int]) -> FeatureSet:
    """The probes' people and some others of the gallery, embedded by these weights."""
    people = {data.query[probe].pid for probe in probes}
    own = [s for s in data.gallery if s.pid in people]
    others = [s for s in data.gallery if s.pid > 0 and s.pid not in people]
    chosen = own + others[:: max(1, len(others) // CROWD)]
    rows = np.stack([subject.embed(subject.pixels(s.path)) for s in chosen])
    return FeatureSet(
        rows,
        np.array([s.pid for s in chosen]),
        np.array([s.camid for s in chosen]),
        np.array([s.path.name for s in chosen]),
    )
