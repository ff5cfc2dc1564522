"""Ablation: bars, table and LaTeX are of the rows chosen; the test is the paired one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mfa
import viz
from mfa.errors import InputError
from mfa.evaluation import evaluate
from mfa.statistics import paired_test

ROWS = pd.DataFrame(
    {
        "row": ["baseline", "baseline", "full", "full", "full"],
        "seed": [0, 1, 0, 1, 0],
        "dataset": ["market1501"] * 4 + ["synthetic"],
        "mAP": [50.0, 52.0, 60.0, 61.0, 70.0],
        "rank1": [70.0, 71.0, 80.0, 82.0, 90.0],
        "checkpoint": ["a", "b", "c", "d", "e"],
    }
)


def test_rows_are_drawn_tabulated_and_exported(keep: Any) -> None:
    app = keep(viz.apps.ablation(ROWS))
    assert app.error == ""
    assert app.state.dataset == "market1501"
    assert app.chart.image.startswith(b"\x89PNG")
    assert "51.0 ± 1.4" in app.table.value
    assert "60.5" in app.latex.value
    assert r"\begin{table" in app.latex.value
    assert "ablation.pdf" in app.links.value
    app.metric.value = "rank1"
    app.wait()
    assert "81.0 ± 1.4" in app.table.value
    app.methods.value = ("full",)
    app.wait()
    assert "baseline" not in app.table.value.split("<tbody>")[1]
    app.dataset.value = "synthetic"
    app.wait()
    assert "90.0" in app.table.value
    exec(app.code(), names := {})
    assert names["figure"] is not None


def test_a_figure_that_was_not_measured_is_told(keep: Any) -> None:
    app = keep(viz.apps.ablation(ROWS))
    app.set(metric="mINP")
    app.wait()
    assert "have no mINP" in app.error
    with pytest.raises(InputError, match="no measured rows"):
        viz.apps.ablation(Path("nowhere"))


def test_the_paired_test_is_that_of_the_saved_results(
    world: Any, keep: Any, tmp_path: Path
) -> None:
    results = []
    for name in ("anchored", "guided"):
        run = mfa.open_run(getattr(world, name))
        result = evaluate(run, world.data)
        result.save(tmp_path / f"{name}-s0" / "result.json")
        results.append((name, run.hash, result))
    rows = pd.DataFrame(
        {"row": name, "seed": 0, "dataset": "synthetic", "mAP": 100 * result.mAP,
         "checkpoint": digest}
        for name, digest, result in results
    )  # fmt: skip
    rows.to_csv(tmp_path / "rows.csv", index=False)
    app = keep(viz.apps.ablation(tmp_path / "rows.csv"))
    expected = paired_test(results[0][2], results[1][2])
    assert f"p = {expected.p_value:.3g}" in app.table.value
    assert f"{100 * expected.difference:+.1f}" in app.table.value
    exec(app.code(), names := {})
    assert names["figure"] is not None


def test_the_repositorys_own_rows_are_there(keep: Any) -> None:
    app = keep(viz.apps.ablation())
    assert app.error == ""
