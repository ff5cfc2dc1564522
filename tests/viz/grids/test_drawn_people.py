"""Contact sheets of drawn people."""

import numpy as np
from matplotlib.colors import to_hex

import viz
from mfa.synthetic import PARTS, SyntheticConfig, render
from viz.grids.drawn_people import PART_COLOURS

CONFIG = SyntheticConfig(height=64, width=32)


def test_rows_are_people_and_columns_cameras():
    figure = viz.draw_people(CONFIG, people=2, columns=7)
    images = figure.axes[0].images
    assert len(images) == 14
    np.testing.assert_array_equal(images[-1].get_array(), render(2, 1, 1, CONFIG).image)


def test_masks_have_a_legend():
    figure = viz.draw_people(CONFIG, people=1, columns=2, masks=True)
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words[-len(PARTS) :] == list(PARTS)
    colours = [to_hex(patch.get_facecolor()).upper() for patch in figure.axes[0].patches]
    assert colours == list(PART_COLOURS)
