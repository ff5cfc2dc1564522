"""The passport under a figure of maps: its numbers, its verdicts, and whose it is."""

import numpy as np
import pandas as pd
import pytest
import torch

from mfa.errors import InputError
from mfa.explain import branch_maps
from mfa.explain.passport import hiding_rows, judged, likeness_rows
from mfa.explain.tables import EDGES, SHUFFLED, SILHOUETTE
from mfa.files import csv_text
from mfa.runs.run import open_run
from viz.charts.passport import plot_passport_likeness, plot_passport_order, verdict_lines
from viz.cli import maps as maps_command
from viz.grids.maps import draw_maps

RULE = "HiResCAM"


@pytest.fixture(scope="module")
def table():
    """Maps that go with the weights and order a little better than the edges, by ROAD worse."""
    rng = np.random.default_rng(0)
    own, anew = rng.normal(size=(2, 8, 6, 3))
    stages = {"heads": {RULE: own + 0.1 * anew}, "stem": {RULE: -own}}
    alike = likeness_rows({RULE: own}, stages, {SILHOUETTE: own, EDGES: anew})
    loss = {RULE: 0.2, SILHOUETTE: 0.3, EDGES: 0.1}
    rows = [
        (name, mode, share, picture, fill, change if fill == "mean" else -change)
        for name, most in loss.items()
        for mode, change in (("deletion", -most), ("least_first", 0.0))
        for fill in ("mean", "road")
        for share in (0.1, 0.4)
        for picture in range(8)
    ]
    names = ["map", "mode", "share", "picture", "fill", "AP_change"]
    hidden = hiding_rows(pd.DataFrame(rows, columns=names))
    return judged(pd.concat([alike, hidden]), np.arange(8))


def lines_of(ax):
    return [container.lines[0] for container in ax.containers]


def test_likeness_goes_down_the_network(table):
    ax = plot_passport_likeness(table, RULE)
    (line,) = lines_of(ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["heads", "stem"]
    assert 0.9 < line.get_ydata()[0] < 1
    assert line.get_ydata()[1] == pytest.approx(-1)
    across = {line.get_label(): line.get_ydata()[0] for line in ax.lines}
    assert across[SILHOUETTE] == pytest.approx(1)
    assert {SHUFFLED, EDGES} < set(across)
    assert ax.get_ylim()[0] < -1
    with pytest.raises(InputError, match="no 'likeness' of FEM"):
        plot_passport_likeness(table, "FEM")


def test_order_shows_top_and_bottom_of_the_map_and_of_both_baselines(table):
    ax = plot_passport_order(table, RULE, fill="mean")
    drawn = [line.get_ydata().tolist() for line in lines_of(ax)]
    expected = [[-20, -20], [0, 0], [-30, -30], [0, 0], [-10, -10], [0, 0]]
    np.testing.assert_allclose(drawn, expected, atol=1e-9)
    assert plot_passport_order(table, RULE).get_xlabel() == "pixels hidden (%), by ROAD"
    alone = plot_passport_order(table[table["fill"] != "road"], RULE)
    assert alone.get_xlabel() == "pixels hidden (%), by mean colour"


def test_verdicts_are_one_line_per_question(table):
    assert verdict_lines(table, RULE) == [
        "changes with the weights: holds",
        "top matters more than bottom: holds by mean colour, fails by ROAD",
        "orders better than the person's silhouette: fails by mean colour, holds by ROAD",
        "orders better than the edges of the picture: holds by mean colour, fails by ROAD",
    ]


def test_a_passport_stands_under_the_maps_and_takes_nothing_from_them(table, tiny_run):
    images = torch.rand(2, 3, 64, 32, generator=torch.Generator().manual_seed(1))
    maps = branch_maps(open_run(tiny_run, "cpu"), images, method=RULE)
    plain, figure = (draw_maps(maps, images, passport=each) for each in (None, table))
    assert len(figure.axes) == len(plain.axes) + 2
    added = figure.get_figheight() - plain.get_figheight()
    assert added > 1
    for one, other in zip(plain.axes, figure.axes, strict=False):
        a, b = (ax.get_window_extent().size for ax in (one, other))
        np.testing.assert_allclose(a, b)
        lower = other.get_window_extent().y0 - one.get_window_extent().y0
        assert lower == pytest.approx(added * figure.dpi)
    assert verdict_lines(table, RULE)[0] in [text.get_text() for text in figure.texts]


def test_the_command_wants_the_passport_of_these_weights(
    table, tiny_run, tiny_root, tmp_path, capsys
):
    file = tmp_path / "passport.csv"
    words = [str(tiny_run), "--data", "synthetic", "--data-root", str(tiny_root)]
    words += ["--positions", "0", "--reference", "2", "--out", str(tmp_path / "maps")]
    for content, refusal in (
        (csv_text(table.assign(checkpoint="another")), "no passport of HiResCAM with weights"),
        ("a,b\n1,2\n", "is no table of passports"),
    ):
        file.write_text(content)
        with pytest.raises(InputError, match=refusal):
            maps_command.main([*words, "--passport", str(file)])
    facts = {"checkpoint": open_run(tiny_run, "cpu").hash, "dataset": "crowd", "reference": 64}
    file.write_text(csv_text(table.assign(**facts)))
    maps_command.main([*words, "--passport", str(file)])
    said = (tmp_path / "maps.caption.md").read_text(encoding="utf-8")
    assert "from 8 query pictures of crowd, 64 reference pictures" in said
    assert (tmp_path / "maps.png").stat().st_size > 0
    assert "row 1" in capsys.readouterr().err
