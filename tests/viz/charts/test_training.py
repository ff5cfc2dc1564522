import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from mfa.errors import InputError
from mfa.records import EpochRecord
from viz import TrainingCurves, draw_training, theme
from viz.charts.training import _apart


def record(epoch, **changes):
    values = {
        "epoch": epoch,
        "losses": {"total": 6 / epoch, "id": 5 / epoch, "gla": 0.0, "branch1/id": 5 / epoch},
        "lr": 3.5e-4,
        "images_per_second": 100.0,
        "seconds": 1.0,
        "feature_norm": 20 / epoch,
        "separation": {"centroid/branch1": 0.3, "centroid/branch2": 0.7, "map_cosine": 0.4},
        "warnings": ("features are collapsing",) if epoch == 2 else (),
    }
    return EpochRecord(**{**values, **changes})


@pytest.fixture
def curves():
    curves = TrainingCurves()
    for epoch in (1, 2, 3):
        curves.update(record(epoch))
    return curves


def panels(figure):
    return {(ax.get_title("left") or ax.get_title()).split(" ($")[0]: ax for ax in figure.axes}


def test_lines_are_the_history(curves):
    found = panels(curves.figure)
    lines = {line.get_label(): line for line in found["loss terms"].lines}
    np.testing.assert_allclose(lines["total"].get_ydata(), [6, 3, 2])
    np.testing.assert_allclose(lines["id"].get_xdata(), [1, 2, 3])
    assert "gla" not in lines  # off: never anything but 0
    heights = {line.get_label(): line for line in found["height of branch map"].lines}
    assert list(heights) == ["branch1", "branch2"]
    assert [line.get_color() for line in heights.values()] == list(theme.BRANCHES[:2])


def test_height_of_maps_is_drawn_as_in_the_picture(curves):
    low, high = panels(curves.figure)["height of branch map"].get_ylim()
    assert low > high  # 0, the top of the picture, on top


def test_epochs_that_warned_are_marked(curves):
    ax = panels(curves.figure)["feature norm"]
    marked = [line.get_xdata()[0] for line in ax.lines if line.get_gid() == "warning"]
    assert marked == [2]


def test_the_learning_rate_axis_reads_as_it_says(curves):
    figure = curves.figure
    ax = next(ax for name, ax in panels(figure).items() if name.startswith("learning rate"))
    power = int(ax.get_title("left").split("(1e")[1].split(")")[0])
    written = float(ax.yaxis.get_major_formatter()(3.5e-4, 0))
    assert written * 10**power == pytest.approx(3.5e-4)


def test_panels_without_data_are_left_out():
    history = pd.DataFrame({"epoch": [1, 2], "total": [2.0, 1.0], "map_cosine": [math.nan] * 2})
    assert list(panels(draw_training(history))) == ["loss terms"]


def test_nothing_to_draw_is_an_error():
    with pytest.raises(InputError, match="no epoch yet"):
        TrainingCurves().figure  # noqa: B018
    with pytest.raises(InputError, match="columns is a curve"):
        draw_training(pd.DataFrame({"epoch": [1], "other": [2]}))


def test_labels_move_apart_and_keep_their_order():
    places = _apart([0.0, 1.0, 2.0, 50.0], step=10)
    assert all(b - a >= 10 - 1e-9 for a, b in pairwise(places))
    assert places[3] == 50
    assert sum(places[:3]) / 3 == pytest.approx(1)  # about their own middle


def test_single_column_is_as_wide_as_it_says(curves):
    figure = draw_training(curves.history, "single")
    assert figure.get_size_inches()[0] == theme.INCHES["single"]
