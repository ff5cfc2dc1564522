"""Lessons 05 to 08 run from start to end on a few drawn people, and find what they should.

They share a folder, as they do for a reader: the first one makes data and run, the others open
them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from mfa.explain.paper_claims import Verdict
from viz.notebook import NotebookRun, run_notebook

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.notebook
SMALL: dict[str, Any] = {"people": 8, "epochs": 1, "seed": 0}


def lesson(name: str, folder: Path, **more: Any) -> NotebookRun:
    path = ROOT / "notebooks" / f"{name}.ipynb"
    return run_notebook(path, {"out": str(folder), **SMALL, **more}, timeout=300)


def pictures(ran: NotebookRun) -> int:
    outputs = [o for c in ran.notebook.cells if c.cell_type == "code" for o in c.outputs]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_attention(folder: Path) -> None:
    ran = lesson("05_attention", folder, pictures=8, queries=3)
    assert len(ran.result["verdicts"]) == 8
    assert set(ran.result["verdicts"].values()) <= set(get_args(Verdict))
    assert ran.result["residual"] < 1e-5
    assert pictures(ran) == 8


def test_retrieval(folder: Path) -> None:
    ran = lesson("06_retrieval", folder)
    assert 0 < ran.result["mAP"] <= 100
    assert 0 < ran.result["rival"] <= 100
    pairs = {pair["figure"]: pair for pair in ran.result["pairs"]}
    assert (pairs["mAP"]["first"], pairs["mAP"]["second"]) == ("MFA", "agw")
    apart = ran.result["rival"] - ran.result["mAP"]
    assert pairs["mAP"]["difference"] == pytest.approx(apart, abs=0.01)
    assert 0 < pairs["mAP"]["p_value"] <= 1
    assert pictures(ran) == 8


def test_one_score_taken_apart(folder: Path) -> None:
    ran = lesson("06b_why_this_one", folder)
    assert set(ran.result["branches"]) == {"branch1", "branch2", "branch3", "branch4"}
    assert pictures(ran) == 5


def test_ablation(folder: Path) -> None:
    ran = lesson("07_ablation", folder, seeds=2)
    assert set(ran.result["mAP"]) == {"baseline", "branches", "anchored"}
    assert ran.result["runs"] == 6
    assert 0 < ran.result["p"] <= 1
    assert pictures(ran) == 3


def test_paper_figures(folder: Path) -> None:
    peers = ("agw", "pcb")  # the first is lesson 06's, with the same budget, and is opened
    ran = lesson("08_paper_figures", folder, partial=4, peers=peers, items=["fig7", "table6"])
    assert set(ran.result["files"]) == {"fig7", "table6"}
    for name, files in ran.result["files"].items():
        endings = {Path(file).suffix for file in files}
        wanted = {".pdf", ".svg", ".png"} if name.startswith("fig") else {".tex", ".md", ".csv"}
        assert wanted <= endings, name
        assert all((folder / "figures" / file).stat().st_size for file in files)
    assert list(ran.result["mAP"]) == ["anchored", *peers]
    budget = ran.result["budget"]
    assert [row["network"] for row in budget] == ["mfa", *peers]
    assert {(row["epochs"], row["seed"]) for row in budget} == {(1, 0)}
    assert len({row["fingerprint"] for row in budget}) == 1
    assert pictures(ran) == 5
