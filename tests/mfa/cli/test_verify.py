"""``mfa verify``: rows come out as stored, or the cell that moved is named."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from mfa.ablation import Row, run_plan
from mfa.ablation.significance import with_tests
from mfa.cli import COMMANDS, run
from mfa.config import Config, derive
from mfa.files import csv_text, shipped
from mfa.records import ReidDataset


def verify(*words: object) -> int:
    """The status of ``mfa verify``."""
    with pytest.raises(SystemExit) as left:
        run("mfa", COMMANDS, ["verify", *map(str, words)])
    return int(left.value.code or 0)


@pytest.fixture(scope="module")
def measured(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path_factory: pytest.TempPathFactory
) -> pd.DataFrame:
    """Two rows of an ablation on the tiny set, with two seeds."""
    short = derive(tiny_config, {"optim.epochs": 1})
    rows = [Row("base", short), Row("+ still", derive(short, {"optim.lr": 1e-9}))]
    runs = tmp_path_factory.mktemp("ablation")
    return with_tests(list(run_plan(rows, [0, 1], tiny_data, runs, device="cpu")))


def store(table: pd.DataFrame, folder: Path) -> Path:
    (folder / "tiny.csv").write_text(csv_text(table))
    return folder


def test_rows_train_to_the_digits_they_hold(
    measured: pd.DataFrame, tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = store(measured, tmp_path)
    assert verify("--results", folder, "--data-root", tiny_root) == 0
    assert "4 rows checked" in (said := capsys.readouterr().out)
    assert "not checked" not in said
    assert int(said.split(" cells")[0].split()[-1]) > 80

    changed = measured.copy()
    changed.loc[1, "mINP"] += 0.01
    store(changed, tmp_path)
    assert verify("tiny/+ still-s0", "--results", folder, "--data-root", tiny_root) == 1
    wrong, right = changed["mINP"][1], measured["mINP"][1]
    assert capsys.readouterr().out.splitlines() == [
        f"tiny/+ still-s0: mINP is {wrong}, recomputed {right}",
        "1 rows checked in 29 cells, 1 moved",
    ]


def test_what_is_not_there_is_named(
    measured: pd.DataFrame, tmp_path: Path, tiny_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = measured["config"].str.replace('"weights": "none"', '"weights": "runs/gone"')
    cases = {
        "Market-1501": measured.assign(dataset="market1501"),
        "the weights runs/gone": measured.assign(config=config),
        "a training of 3 minutes": measured.assign(train_seconds=180.0),
    }
    for needs, table in cases.items():
        folder = store(table, tmp_path)
        assert verify("all", "--quick", "--results", folder, "--data-root", tiny_root) == 0
        assert f"tiny: 4 rows not checked: needs {needs}" in capsys.readouterr().out


def test_the_published_tables_follow_from_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify("--derived") == 0
    assert "250 rows checked in 1,220 cells, 0 moved" in capsys.readouterr().out


def test_a_digit_changed_in_a_published_table_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (shipped("data/results") / "table2-synthetic.csv").read_text()
    (tmp_path / "table2-synthetic.csv").write_text(
        text.replace("Baseline,0,51.72", "Baseline,0,51.27")
    )
    assert verify("--derived", "--results", tmp_path) == 1
    assert "table2-synthetic/+ Layer2-s0: p_value_over_seeds is" in capsys.readouterr().out
    assert run("mfa", COMMANDS, ["verify", "nothing", "--results", str(tmp_path)]) == 2


@pytest.mark.slow
@pytest.mark.skipif("MFA_VERIFY" not in os.environ, reason="another processor moves the digits")
def test_a_published_row_trains_to_its_digits() -> None:
    assert verify("variants-synthetic/baseline-s0") == 0
