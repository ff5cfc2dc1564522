"""``mfa ablate``: a plan with its time first, tidy rows out, nothing trained twice."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from mfa.cli import COMMANDS, run
from mfa.config import Config, derive
from mfa.presets import PRESETS


@pytest.fixture
def line(
    tiny_config: Config, tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    small = derive(tiny_config, {"optim.epochs": 1})
    monkeypatch.setitem(PRESETS, "tiny-test", lambda: small)
    plan = tmp_path / "mine.json"
    rows = {"one": {}, "GLA off": {"loss.gla": "off"}}
    plan.write_text(json.dumps({"rows": rows}))
    return ["ablate", str(plan), "--preset", "tiny-test", "--data-root", str(tiny_root)]


def ablate(line: list[str], *more: str) -> int:
    return run("mfa", COMMANDS, [*line, *more])


def test_a_plan_is_told_with_its_time_and_trained_once(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    assert ablate(line, "--out", str(out), "--dry-run") == 0
    progress = capsys.readouterr().err
    assert "2 rows x 1 seeds, 0 of them finished: about 0 minutes for the rest" in progress
    assert not out.exists()

    assert ablate(line, "--out", str(out), "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["row"] for row in rows] == ["one", "GLA off"]
    table = pd.read_csv(out / "rows.csv")
    assert table["mAP"].tolist() == [row["mAP"] for row in rows]
    assert table["p_value"].notna().tolist() == [False, True]

    elsewhere = tmp_path / "other"
    assert ablate(line, "--out", str(elsewhere), "--reuse", str(out)) == 0
    progress = capsys.readouterr().err
    assert "2 of them finished" in progress
    assert progress.count("done before") == 2
    again = pd.read_csv(elsewhere / "rows.csv")
    pd.testing.assert_frame_equal(again, table)


def test_a_row_that_cannot_be_trained_is_told_first_and_stops_no_other(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {"one": {}, "too many": {"data.pids": 50}, "last": {"loss.gla": "off"}}
    Path(line[1]).write_text(json.dumps({"rows": rows}))
    out = tmp_path / "runs"
    assert ablate(line, "--out", str(out), "--dry-run") == 0
    progress = capsys.readouterr().err
    assert "3 rows x 1 seeds, 0 of them finished" in progress
    assert "too many cannot be trained: InputError" in progress
    assert not out.exists()

    assert ablate(line, "--out", str(out)) == 2
    progress = capsys.readouterr().err
    assert "1 of 3 runs failed: too many (seed 0)" in progress
    assert pd.read_csv(out / "rows.csv")["row"].tolist() == ["one", "last"]


def test_a_field_that_does_not_exist_is_named(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(line[1]).write_text('{"rows": {"a": {"model.brunches": 2}}}')
    assert ablate(line) == 2
    assert "model.brunches" in capsys.readouterr().err
