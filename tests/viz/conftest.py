"""A small retrieval whose ranking is known by construction, with pictures one can recognise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from mfa.records import Features, FeatureSet, ReidDataset, Sample
from mfa.retrieval.metrics import score
from mfa.retrieval.results import RetrievalResult

JUNK_PID = -1


class Scored(NamedTuple):
    data: ReidDataset
    result: RetrievalResult


# Query 1 (person 7, camera 1) sees this gallery at growing angles, in degrees: person, camera.
GALLERY = (
    (10, 7, 2),  # match
    (20, 9, 2),  # wrong
    (30, 7, 1),  # same person, same camera: not counted
    (40, JUNK_PID, 3),  # junk: not counted
    (50, 7, 3),  # match
    (60, 8, 3),  # wrong
)
QUERIES = (
    (0, 7, 1),  # AP (1/1 + 2/3) / 2
    (61, 8, 1),  # only match at rank 1
    (19, 7, 3),  # nearest is person 9; matches at ranks 2 and 3
    (0, 5, 1),  # nobody in the gallery
)


@pytest.fixture
def scored(tmp_path: Path) -> Scored:
    """Query and gallery on a circle; picture i of the gallery is filled with grey 20 + 30 i."""

    def side(name: str, rows: tuple[tuple[int, int, int], ...]) -> tuple[list[Sample], FeatureSet]:
        samples, angles = [], []
        for place, (degrees, pid, camid) in enumerate(rows):
            path = tmp_path / name / f"{name}{place}.png"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (32, 64), (20 + 30 * place,) * 3).save(path)
            samples.append(Sample(path, pid, camid))
            angles.append(np.radians(degrees))
        features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
        pids = np.array([sample.pid for sample in samples])
        camids = np.array([sample.camid for sample in samples])
        names = np.array([sample.path.name for sample in samples])
        return samples, FeatureSet(features, pids, camids, names)

    query, query_features = side("query", QUERIES)
    gallery, gallery_features = side("gallery", GALLERY)
    data = ReidDataset("toy", tmp_path, (), tuple(query), tuple(gallery), "f" * 16)
    return Scored(data, score(Features(query_features, gallery_features)))


@pytest.fixture
def open_figures() -> Callable[[], int]:
    """How many figures pyplot holds open: drawing must add none."""
    from matplotlib import _pylab_helpers

    return lambda: len(_pylab_helpers.Gcf.figs)


@pytest.fixture
def words_apart(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Fails where words of a figure run into each other or out of it; ``least`` are there."""
    drawn: list[Text] = []
    draw = Text.draw
    monkeypatch.setattr(
        Text, "draw", lambda self, renderer: (drawn.append(self), draw(self, renderer))
    )

    def check(figure: Figure, *, least: int = 1) -> None:
        figure.draw_without_rendering()  # the layout settles, as in ``viz.save``
        drawn.clear()
        figure.draw_without_rendering()
        seen = dict.fromkeys(text for text in drawn if text.get_visible())
        texts = [text for text in seen if text.get_text().strip()]
        assert len(texts) >= least
        boxes = [text.get_window_extent() for text in texts]
        inside = figure.bbox.padded(1)
        for number, (text, box) in enumerate(zip(texts, boxes, strict=True)):
            words = text.get_text()
            assert inside.x0 < box.x0, words
            assert box.x1 < inside.x1, words
            assert inside.y0 < box.y0, words
            assert box.y1 < inside.y1, words
            for other, place in zip(texts[:number], boxes[:number], strict=True):
                assert not box.padded(-1).overlaps(place), (words, other.get_text())

    return check
