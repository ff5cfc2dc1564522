import pandas as pd
import pytest

import viz
from mfa.errors import InputError
from viz import theme

MEASURED = pd.DataFrame({"method": ["A", "A", "B"], "seed": [0, 1, 0], "mAP": [50.0, 54.0, 60.0]})
PUBLISHED = pd.DataFrame(
    {
        "method": ["A", "C", "D"],
        "mAP": [70.0, 75.0, None],
        "confidence": ["read", "unverified", "read"],
    }
)


def bars(ax, gid):
    return [patch for patch in ax.patches if patch.get_gid() == gid]


def test_measured_bars_are_filled_means_from_zero():
    ax = viz.plot_ablation(MEASURED)
    found = bars(ax, "measured")
    assert [bar.get_width() for bar in found] == [52, 60]
    assert all(bar.get_x() == 0 for bar in found)
    assert ax.get_xlim()[0] == 0


def test_spread_over_seeds_is_a_whisker_where_there_are_several():
    ax = viz.plot_ablation(MEASURED)
    whiskers = [c for c in ax.containers if hasattr(c, "has_xerr") and c.has_xerr]
    assert len(whiskers) == 1
    ends = whiskers[0].lines[2][0].get_segments()[0][:, 0]
    assert ends == pytest.approx([52 - 8**0.5, 52 + 8**0.5])  # deviation of 50 and 54


def test_published_and_unverified_look_unlike_measured_ones():
    ax = viz.plot_ablation(MEASURED, PUBLISHED)
    (read,), (doubtful,) = bars(ax, "published"), bars(ax, "unverified")
    assert (read.get_width(), doubtful.get_width()) == (70, 75)
    assert read.get_hatch()
    assert read.get_facecolor() == (1, 1, 1, 1)
    assert doubtful.get_linestyle() == ":"
    assert "75.0 ?" in [text.get_text() for text in ax.texts]


def test_methods_stand_in_order_once_each_and_empty_ones_stay_out():
    ax = viz.plot_ablation(MEASURED, PUBLISHED)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A", "B", "C"]


def test_p_values_stand_beside_their_bars():
    ax = viz.plot_ablation(MEASURED, p_values={"B": 0.0004}, reference="A", test="coin test")
    assert "coin test, against A" in ax.get_xlabel()
    with pytest.raises(InputError, match="without their test"):
        viz.plot_ablation(MEASURED, p_values={"B": 0.0004})
    assert [text.get_text() for text in ax.texts] == ["52.0", "60.0  p < 0.001"]


@pytest.mark.parametrize("name", ["A", "a method with a name of many letters"])
def test_numbers_stay_inside_the_axes(name):
    rows = MEASURED.replace({"method": {"A": name}})
    p_values = {name: 0.0123, "B": 0.9}
    ax = viz.plot_ablation(rows, PUBLISHED, p_values=p_values, reference="B", test="coin test")
    figure = theme.figure_of(ax)
    figure.draw_without_rendering()
    right = ax.get_window_extent().x1
    assert all(text.get_window_extent().x1 <= right for text in ax.texts)
    assert right <= figure.bbox.x1


def test_the_words_below_the_axis_stay_on_the_figure():
    rows = MEASURED.replace({"A": "+ CPAA + Branches + GLA"})
    words = {"reference": "Baseline", "test": "paired t-test over seeds"}
    ax = viz.plot_ablation(rows, p_values={"B": 0.3}, **words)
    ax.figure.draw_without_rendering()
    assert ax.xaxis.label.get_window_extent().x1 <= ax.figure.bbox.x1


def test_missing_columns_are_named():
    with pytest.raises(InputError, match="no column 'seed'"):
        viz.plot_ablation(MEASURED.drop(columns="seed"))
    with pytest.raises(InputError, match="nothing to draw"):
        viz.plot_ablation(MEASURED.iloc[:0])
