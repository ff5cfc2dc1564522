"""The figure of matches: its lines and its words are those of the record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import viz
from mfa.explain.matches import ENDS, Matches

PICTURES = np.random.default_rng(0).random((2, 32, 16, 3)).astype(np.float32)
LINES = pd.DataFrame(
    [["head", 0.25, 0.5, 0.75, 0.5, 0.2], ["head", 0.5, 0.5, 0.5, 0.5, 0.1]],
    columns=["branch", *ENDS],
)
FOUND = Matches(0.5, LINES, {"head": 0.4, "feet": -0.1}, {"head": (0, 0.5), "feet": (0.5, 1)})


@pytest.mark.parametrize("width", ["single", "double"])
def test_lines_end_where_the_places_are(width: Any, words_apart: Any) -> None:
    figure = viz.draw_matches(FOUND, *(p.transpose(2, 0, 1) for p in PICTURES), k=2, width=width)
    head, feet = figure.axes
    assert [line.get_xydata().tolist() for line in head.lines] == [
        [[7.5, 15.5], [31.5, 15.5]],
        [[3.5, 15.5], [35.5, 15.5]],
    ]
    assert [line.get_linewidth() for line in head.lines] == pytest.approx([1.7, 2.9])
    assert head.get_xlabel() == "+0.300 of +0.400"
    assert (len(feet.lines), feet.get_xlabel()) == (0, "+0.000 of -0.100")
    words_apart(figure, least=4)
