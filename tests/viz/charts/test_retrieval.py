import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import viz
from mfa.comparison.breakdown import by_camera_pair
from mfa.comparison.verification import verify
from mfa.errors import InputError
from viz import theme


def test_cmc_is_the_result_in_percent(scored, open_figures):
    before = open_figures()
    ax = viz.plot_cmc({"ours": scored.result}, ranks=4)
    # Of three counted queries two have their first match at rank 1, one at rank 2.
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [200 / 3, 100, 100, 100])
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [1, 2, 3, 4])
    assert ax.get_legend().get_texts()[0].get_text().startswith("ours  R1 66.7, mAP 80.6")
    assert open_figures() == before


def test_ap_histogram_counts_queries_and_marks_the_mean(scored):
    ax = viz.plot_ap_distribution(scored.result, bins=10)
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.max() == 1  # APs 0.58, 0.83 and 1.0 fall into different bins
    assert ax.lines[0].get_xdata()[0] == pytest.approx(100 * scored.result.mAP)


def test_a_chart_draws_into_given_axes(scored):
    ax = theme.figure().add_subplot()
    assert viz.plot_cmc(scored.result, ax=ax) is ax
    with pytest.raises(InputError, match="no result"):
        viz.plot_cmc({})


def test_pair_densities_have_area_one_and_the_threshold_its_place(scored):
    verification = verify(scored.result.features)
    ax = viz.plot_distances(verification, threshold=0.25)
    for patch in ax.patches:
        values, edges, _ = patch.get_data()
        assert np.sum(values * np.diff(edges)) == pytest.approx(1)
    assert ax.lines[0].get_xdata()[0] == 0.25
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert f"same person ({verification.same:,} pairs)" in labels


def test_roc_shows_the_table(scored):
    verification = verify(scored.result.features)
    ax = viz.plot_roc({"ours": verification})
    drawn = dict(zip(*ax.lines[0].get_data(), strict=True))
    for _, row in verification.table[verification.table["fpr"] >= ax.get_xlim()[0]].iterrows():
        assert drawn[row["fpr"]] >= 100 * row["tpr"] - 1e-9


def test_thresholds_skip_shares_finer_than_their_pairs(scored):
    verification = verify(scored.result.features)
    table = verification.thresholds((0.5, 1e-9))
    assert list(table["accepted"]) == [0.5]
    assert table["threshold"][0] == verification.at_fpr(0.5)["threshold"]


def test_camera_map_prints_each_pair(scored):
    table = by_camera_pair(scored.result.features)
    ax = viz.plot_camera_pairs(table)
    printed = [text.get_text() for text in ax.texts]
    expected = [f"{100 * value:.0f}" for value in table["mAP"].dropna()]
    assert sorted(printed) == sorted(expected)


def test_gallery_curve_is_the_mean_over_draws():
    table = pd.DataFrame({"gallery": [10, 10, 20], "draw": [0, 1, 0], "mAP": [0.8, 0.6, 0.5]})
    ax = viz.plot_gallery_size(table)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [70, 50])
    with pytest.raises(InputError, match="no column 'gallery'"):
        viz.plot_gallery_size(table.rename(columns={"gallery": "size"}))


def test_branch_bars_are_as_long_as_the_map(scored):
    ax = viz.plot_branch_scores({"random branch": scored.result}, whole=scored.result)
    widths = [patch.get_width() for patch in ax.patches]
    assert widths == pytest.approx([100 * scored.result.mAP] * 2)
    colours = [to_hex(patch.get_facecolor()).upper() for patch in ax.patches]
    assert colours == [theme.WHOLE, theme.BRANCHES[0]]  # whatever the branch is called


def test_branches_keep_their_colours_and_take_none_of_the_frames():
    names = ["head", "branch2", "random"]
    assert list(theme.branch_colours(names).values()) == list(theme.BRANCHES[:3])
    assert len(theme.branch_colours(f"b{i}" for i in range(20))) == 20
    frames = {theme.QUERY, theme.MATCH, theme.WRONG, theme.IGNORED}
    assert not frames & {*theme.BRANCHES, theme.WHOLE}


def test_keyword_arguments_reach_matplotlib(scored):
    ax = viz.plot_cmc(scored.result, color="#123456", linewidth=3)
    assert (ax.lines[0].get_color(), ax.lines[0].get_linewidth()) == ("#123456", 3)


def test_a_chart_shows_itself_in_a_notebook(scored):
    png, _ = viz.plot_cmc(scored.result)._repr_png_()
    assert png.startswith(b"\x89PNG")
