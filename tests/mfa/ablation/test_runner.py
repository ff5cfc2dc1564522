"""Running a plan: finished rows stay, interrupted ones go on, failing ones do not stop the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mfa.ablation import Row, estimate, run_plan, runner
from mfa.config import Config, derive
from mfa.records import ReidDataset
from mfa.runs.run import open_run
from mfa.training.fit import fit


@pytest.fixture
def rows(tiny_config: Config) -> list[Row]:
    short = derive(tiny_config, {"optim.epochs": 1})
    impossible = derive(short, {"data.pids": 50})
    return [
        Row("one", short),
        Row("cannot be", impossible),
        Row("GLA off", derive(short, {"loss.gla": "off"})),
    ]


def test_a_plan_survives_a_failing_row_and_runs_nothing_twice(
    rows: list[Row], tiny_data: ReidDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = list(run_plan(rows, [0, 1], tiny_data, tmp_path))
    assert [(o.row, o.seed, bool(o.failure)) for o in outcomes] == [
        ("one", 0, False),
        ("cannot be", 0, True),
        ("GLA off", 0, False),
        ("one", 1, False),
        ("cannot be", 1, True),
        ("GLA off", 1, False),
    ]
    assert "lower data.pids" in outcomes[1].failure
    table = pd.DataFrame([o.figures for o in outcomes if not o.failure])
    assert table["row"].tolist() == ["one", "GLA off", "one", "GLA off"]
    assert table["seed"].tolist() == [0, 0, 1, 1]
    assert set(table["fingerprint"]) == {tiny_data.fingerprint}
    assert table["mAP"].between(0, 100).all()
    per_query = (tmp_path / "gla-off-s1" / "result.csv").read_text().splitlines()
    assert len(per_query) == 1 + len(tiny_data.query)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(runner, "fit", refuse)
    again = [o for o in run_plan(rows, [0, 1], tiny_data, tmp_path) if not o.failure]
    assert all(o.skipped for o in again)
    assert [o.figures for o in again] == [o.figures for o in outcomes if not o.failure]


def test_what_another_plan_finished_is_taken_from_there(
    rows: list[Row], tiny_data: ReidDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = tmp_path / "table2", tmp_path / "table3"
    (first,) = run_plan([rows[0]], [0], tiny_data, there)
    renamed = Row("the same under another name", replace(rows[0].config, name="other/one"))
    changed = Row("another", derive(rows[0].config, {"loss.gla_weight": 2.0}))
    plan = [renamed, changed]
    assert runner.waiting(plan, [0, 1], tiny_data, here) == {renamed.name: 2, changed.name: 2}
    left = runner.waiting(plan, [0, 1], tiny_data, here, reuse=[there])
    assert left == {renamed.name: 1, changed.name: 2}
    other_data = replace(tiny_data, fingerprint="f" * 32)
    assert runner.reusable(renamed, 0, other_data, [there]) is None
    monkeypatch.setattr(runner, "fit", lambda *_, **__: pytest.fail("trained again"))
    (outcome,) = run_plan([renamed], [0], tiny_data, here, reuse=[there])
    assert outcome.skipped
    assert outcome.folder == first.folder
    assert outcome.figures == {**first.figures, "row": renamed.name}
    assert not here.exists()


def test_an_interrupted_row_goes_on(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    row = Row("two epochs", replace(tiny_config, seed=0))
    next(iter(fit(row.config, tiny_data, tmp_path / "two-epochs-s0", progress=False)))
    assert open_run(tmp_path / "two-epochs-s0").checkpoint.epoch == 1
    (outcome,) = run_plan([row], [0], tiny_data, tmp_path)
    assert outcome.figures["epochs"] == 2


def test_a_folder_of_another_configuration_is_refused(
    rows: list[Row], tiny_data: ReidDataset, tmp_path: Path
) -> None:
    list(run_plan(rows[:1], [0], tiny_data, tmp_path))
    other = [Row("one", derive(rows[0].config, {"loss.gla_weight": 2.0}))]
    (outcome,) = run_plan(other, [0], tiny_data, tmp_path)
    assert "another configuration" in outcome.failure


def test_the_estimate_counts_every_step(rows: list[Row], tiny_data: ReidDataset) -> None:
    table = estimate(
        [rows[0], Row("three", derive(rows[0].config, {"optim.epochs": 3}))], tiny_data
    )
    assert table["steps"].tolist()[1] == 3 * table["steps"].tolist()[0]
    assert (table["seconds"] > 0).all()
    assert (table["fault"] == "").all()


def test_the_estimate_says_of_a_row_that_it_cannot_be_trained(
    rows: list[Row], tiny_data: ReidDataset
) -> None:
    table = estimate(rows, tiny_data).set_index("row")
    assert "lower data.pids" in table.loc["cannot be", "fault"]
    assert table.loc["cannot be", "seconds"] == 0
    assert table.loc["GLA off", "fault"] == ""
    assert table.loc["GLA off", "seconds"] > 0


def test_an_epoch_of_one_batch_has_an_estimate(rows: list[Row], tiny_data: ReidDataset) -> None:
    people = len({sample.pid for sample in tiny_data.train})
    whole = derive(rows[0].config, {"data.pids": people, "data.images": 4})
    (line,) = estimate([Row("whole", whole)], tiny_data).to_dict("records")
    assert (line["steps"], line["fault"]) == (1, "")
    assert line["seconds"] > 0
