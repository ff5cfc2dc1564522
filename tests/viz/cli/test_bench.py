"""``mfa-viz bench`` says where and when it measured, and whether the figures are good enough."""

import json

import pytest

from viz.bench import grid
from viz.cli import bench


@pytest.fixture(autouse=True)
def small(monkeypatch):
    measure = grid.run
    monkeypatch.setattr(
        grid, "run", lambda repeats=20: measure(min(repeats, 2), queries=4, gallery=20)
    )
    monkeypatch.setattr(bench, "MEASUREMENTS", {"grid": ("viz.bench.grid", 2)})


def test_json_carries_machine_date_and_targets(capsys, tmp_path):
    bench.main(["grid", "--json", "--output", str(tmp_path / "kept.json")])
    found = json.loads(capsys.readouterr().out)
    assert found["bench"] == "grid"
    assert {"processor", "cores", "load", "system"} <= set(found["machine"])
    assert found["date"].startswith("20")
    assert found["targets"]["strip_ms"]["bound"] == "<= 20"
    assert found["targets"]["strip_ms"]["met"] == (found["strip_ms"] <= 20)
    assert json.loads((tmp_path / "kept.json").read_text()) == found


def test_all_keeps_its_figures_by_itself(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bench.main(["all"])
    kept = json.loads((tmp_path / bench.KEPT).read_text())
    assert kept["benches"]["grid"]["ranking_ms"] > 0
    assert "strip_ms" in capsys.readouterr().out
