from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mfa.ablation import Row, run_plan
from mfa.ablation.significance import mean_over_seeds, with_tests
from mfa.config import Config, derive
from mfa.records import ReidDataset


def test_rows_are_held_against_the_first_of_their_seed(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    short = derive(tiny_config, {"optim.epochs": 1})
    rows = [Row("base", short), Row("still", derive(short, {"optim.lr": 1e-9}))]
    outcomes = list(run_plan(rows, [0], tiny_data, tmp_path))
    table = with_tests(outcomes).set_index("row")
    gain = table["mAP"]["still"] - table["mAP"]["base"]
    assert table["mAP_gain"]["still"] == pytest.approx(gain, abs=0.02)
    assert table["mAP_gain_low"]["still"] <= gain + 0.02
    assert gain - 0.02 <= table["mAP_gain_high"]["still"]
    assert 0 < table["p_value"]["still"] <= 1
    assert table.loc["base", ["mAP_gain", "p_value"]].isna().all()


def test_without_its_first_row_a_seed_has_no_test(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    short = derive(tiny_config, {"optim.epochs": 1})
    rows = [Row("cannot be", derive(short, {"data.pids": 50})), Row("one", short)]
    outcomes = list(run_plan(rows, [0], tiny_data, tmp_path))
    table = with_tests(outcomes)
    assert table["row"].tolist() == ["one"]
    assert "p_value" not in table
    lost = replace(outcomes[0], failure="gone")
    assert with_tests([lost]).empty


def test_over_seeds_the_trainings_are_compared(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    short = derive(tiny_config, {"optim.epochs": 1})
    slow = derive(short, {"optim.lr": 1e-9})
    rows = [Row("base", short), Row("still", slow), Row("again", slow)]
    outcomes = list(run_plan(rows, [0, 1], tiny_data, tmp_path))
    table = with_tests(outcomes).set_index(["row", "seed"])
    before, after = table.loc["base", "mAP"], table.loc["still", "mAP"]
    tests = table.loc["still", "p_value_over_seeds"]
    assert tests.tolist() == pytest.approx([stats.ttest_rel(after, before).pvalue] * 2, abs=1e-4)
    assert table.loc["still", "p_holm"].tolist() == pytest.approx(
        np.minimum(2 * tests, 1).tolist(), abs=1e-4
    )
    assert table.loc["base", ["p_value_over_seeds", "p_holm"]].isna().all(axis=None)
    mean = mean_over_seeds([o for o in outcomes if o.row == "still"])
    assert 100 * mean["AP"].mean() == pytest.approx(after.mean(), abs=0.01)
