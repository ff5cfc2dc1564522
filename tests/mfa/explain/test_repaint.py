"""Shares on what differs, against cases worked out by hand, and the test run whole."""

import numpy as np
import pandas as pd
import pytest
import torch

from mfa import presets
from mfa.cli import COMMANDS, run
from mfa.errors import InputError
from mfa.explain import repaint
from mfa.explain.geometry import MapGrid
from mfa.runs.run import untrained


def test_share_on_counts_the_positive_part():
    maps = np.array([[[3.0, -5], [1, 0]], [[0, 0], [-1, 0]]], np.float32)
    changed = torch.zeros(2, 4, 4)
    changed[:, :2, :2] = 1  # all of the first map pixel
    changed[0, 2, 0] = 1  # and a quarter of the one below it
    found = repaint.share_on(maps, changed, MapGrid.even(2, 2))
    assert found == pytest.approx([(3 + 0.25) / 4, 0])


def test_triplets_show_one_person_and_one_change():
    drawn = repaint.draw_triplets(3)
    assert set(drawn.pids) == {101, 102, 103}
    assert len(set(zip(drawn.pids, drawn.things, strict=True))) == len(drawn)
    differs = (drawn.matches != drawn.repainted).any(dim=1).float().mean(dim=(1, 2))
    assert (differs >= repaint.VISIBLE).all()
    assert (drawn.changed.mean(dim=(1, 2)) >= repaint.VISIBLE).all()
    with pytest.raises(InputError, match="1 to 100 persons, got 101"):
        repaint.draw_triplets(101)


def test_rules_stand_between_the_even_map_and_the_oracle():
    table = repaint.measure_repaint(
        untrained(presets.demo()), persons=4, methods=["HiResCAM", "ShapleyCAM"], reference=4
    )
    whole = table[table["thing"] == "all"].set_index(["rule", "reference"])
    assert set(whole.index) == {
        ("HiResCAM", 0),
        ("HiResCAM", 4),
        ("ShapleyCAM", 0),
        (repaint.OTHER_CHANGE, 4),
        (repaint.RANDOM, 4),
        ("even", 0),
        ("oracle", 0),
        (repaint.TOLD_APART, 0),
    }
    rules = whole.drop(index=(repaint.TOLD_APART, 0))
    assert rules["mean"].idxmax() == ("oracle", 0)
    assert rules["mean"].is_monotonic_decreasing
    # The run is untrained, so its maps are those of the control.
    assert whole.loc[("HiResCAM", 4), "mean"] == whole.loc[(repaint.RANDOM, 4), "mean"]


def test_the_command_writes_the_table(tiny_run, tmp_path, capsys):
    out = tmp_path / "table.csv"
    words = ["explain", "repaint", str(tiny_run), "--persons", "3", "--methods", "HiResCAM"]
    assert run("mfa", COMMANDS, [*words, "--out", str(out)]) == 0
    assert {"run", "checkpoint", "rule", "mean"} <= set(pd.read_csv(out))
    assert run("mfa", COMMANDS, [*words[:3], "--methods", "NoCAM"]) == 2
    assert "no method 'NoCAM'" in capsys.readouterr().err
