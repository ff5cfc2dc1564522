"""Ablation: bars, table and LaTeX are of the rows chosen; the test is the paired one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mfa
import viz
from mfa.errors import InputError
from mfa.inference.evaluate import evaluate
from mfa.retrieval.statistics import paired_test, seeds_test
from viz.paper.published import DATA, published, published_of

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


def test_rows_are_drawn_tabulated_and_exported(keep: Any, executed: Any) -> None:
    app = keep(viz.ablation_explorer(ROWS))
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
    names = executed(app.code())
    assert names["shown"] is not None


def test_a_figure_that_was_not_measured_is_told(keep: Any) -> None:
    app = keep(viz.ablation_explorer(ROWS))
    app.set(metric="mINP")
    app.wait()
    assert "have no mINP" in app.error
    with pytest.raises(InputError, match="no measured rows"):
        viz.ablation_explorer(Path("nowhere"))


def test_the_paired_test_is_that_of_the_saved_results(
    world: Any, keep: Any, tmp_path: Path, executed: Any
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
    app = keep(viz.ablation_explorer(tmp_path / "rows.csv"))
    expected = paired_test(results[0][2].per_query, results[1][2].per_query)
    assert f"p = {expected.p_value:.3g}" in app.table.value
    assert f"{100 * expected.difference:+.1f}" in app.table.value
    names = executed(app.code())
    assert names["shown"] is not None


def test_published_figures_stand_beside_the_rows_they_are_of(keep: Any) -> None:
    rows = ROWS.replace({"row": {"baseline": "bagtricks"}})
    app = keep(viz.ablation_explorer(rows, metric="rank1"))
    theirs = published()
    of = theirs[(theirs["method"] == "BagTricks") & (theirs["dataset"] == "market1501")]
    assert f"<td>{of['rank1'].iloc[0]:.1f}</td>" in app.table.value
    assert app.table.value.count("<tr>") == 3  # the headings and the two rows, nobody else's
    assert "Rank-1 on Market-1501" in app.latex.value
    app.published.value = False
    app.wait()
    assert f"{of['rank1'].iloc[0]:.1f}" not in app.table.value


def test_a_source_without_the_figure_is_passed_over() -> None:
    rows = pd.DataFrame({"row": ["gasm"]})
    for metric, confidence in {"mAP": "unverified", "rank1": "read"}.items():
        found = published_of(rows, "market1501", metric)
        assert list(found["method"]) == ["gasm"]
        assert found[metric].notna().all()
        assert list(found["confidence"]) == [confidence]
    assert published_of(rows, "market1501", "mINP")["mINP"].empty


def test_the_repositorys_own_rows_are_shown_plan_by_plan(keep: Any, executed: Any) -> None:
    app = keep(viz.ablation_explorer(dataset="synthetic"))
    assert app.error == ""
    assert app.plan.value == "table3"
    table = pd.read_csv(DATA / "results" / "table3-synthetic.csv")
    assert list(app.methods.options) == list(dict.fromkeys(table["row"]))
    baseline = table[table["row"] == "Baseline"]
    row = f"<th scope='row'>Baseline</th><td>{baseline['mAP'].mean():.1f} "
    assert row in app.table.value
    assert f"<td>{len(baseline)}</td>" in app.table.value  # its seeds, once each
    recorded = table[table["row"] == "+ CPAA"]
    p_value = recorded["p_value_over_seeds"].dropna().iloc[0]
    assert f"{recorded['mAP_gain'].mean():+.1f}, p = {p_value:.3g}, 3 seeds" in app.table.value
    names = executed(app.code())
    assert names["tests"]["+ CPAA"].p_value == pytest.approx(p_value, abs=1e-4)
    assert f"p = {p_value:.2g}" in [text.get_text() for text in names["shown"].texts][1]
    app.plan.value = "peers"
    app.wait()
    assert app.reference.value == app.methods.options[0] == "bagtricks"
    app.metric.value = "rank1"
    app.wait()
    peers = pd.read_csv(DATA / "results" / "peers-synthetic.csv").pivot(
        index="seed", columns="row", values="rank1"
    )
    expected = seeds_test(peers["bagtricks"], peers["agw"])
    assert f"p = {expected:.3g}, 3 seeds" in app.table.value
