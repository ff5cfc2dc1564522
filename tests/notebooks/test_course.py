"""Lessons 02, 03, 04 and 09 run from start to end on a few drawn people; their apps open."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from viz.notebook import NotebookRun, run_notebook

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.notebook


def lesson(name: str, folder: Path, **more: Any) -> NotebookRun:
    parameters = {"out": str(folder), "people": 8, "seed": 0, **more}
    return run_notebook(ROOT / "notebooks" / f"{name}.ipynb", parameters, timeout=300)


def pink(ran: NotebookRun) -> list[str]:
    """What a page shows on pink: standard error."""
    outputs = [o for cell in ran.notebook.cells for o in cell.get("outputs", ())]
    return [output.text for output in outputs if output.get("name") == "stderr"]


def apps(ran: NotebookRun) -> int:
    """Cells that show an app, and below it a picture for pages without a kernel."""
    outputs = [o for cell in ran.notebook.cells for o in cell.get("outputs", ())]
    return sum("mfa-still" in output.get("data", {}).get("text/html", "") for output in outputs)


def test_model(folder: Path) -> None:
    ran = lesson("02_model", folder)
    assert ran.result["parameters"]["paper"] == 28_298_698
    assert ran.result["shares"] == [0.0]
    assert apps(ran) == 3
    assert pink(ran) == []


def test_losses(folder: Path) -> None:
    ran = lesson("03_losses", folder)
    terms = ran.result["terms"]
    assert terms["id"] == pytest.approx(math.log(6), abs=0.3)  # nothing is known
    assert len(ran.result["branches"]) == 4
    assert -1 <= ran.result["agreement"] <= 1
    assert apps(ran) == 4
    assert pink(ran) == []


def test_training(folder: Path) -> None:
    ran = lesson("04_training", folder, epochs=2)
    assert ran.result["epochs"] == 2
    assert ran.result["norms"]["literal"] < ran.result["norms"]["anchored"]
    assert apps(ran) == 1


def test_your_own(folder: Path) -> None:
    ran = lesson("09_your_own", folder)
    assert ran.result["clean"] is True
    assert ran.result["pictures"]["query"] > 0
    assert len(ran.result["mAP"]) == 3
    assert all(0 < value <= 100 for value in ran.result["mAP"].values())
    assert apps(ran) == 3
