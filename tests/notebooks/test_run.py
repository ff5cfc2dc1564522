"""Every notebook runs from start to end with small parameters and finds what it should."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from viz.cli.demo import clear, main, summary
from viz.notebook import run_notebook

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.notebook


@pytest.mark.parametrize("start", ["mfa-tiny", "none"])
def test_quickstart_as_the_demo_runs_it(
    start: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    (out / "run").mkdir(parents=True)
    for leftover in ("config.json", "checkpoint.safetensors"):
        (out / "run" / leftover).write_text("{}")
    page = out / "quickstart.html"
    words = ["--out", str(out), "--start", start, "--epochs", "1", "--people", "8", "--json"]
    main([*words, "--data", str(folder / "data")])
    result = json.loads(capsys.readouterr().out)
    assert json.loads((out / "result.json").read_text()) == result
    assert (result["start"], result["epochs"]) == (start, 1)
    assert 0 < result["before"]["mAP"] <= 100
    assert 0 < result["trained"]["mAP"] <= 100
    assert len(result["branch_heights"]) == 4
    assert all(0 < height < 1 for height in result["branch_heights"])
    for name in ("early", "maps", "ranks", "worst", "curves"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (out / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    text = page.read_text()
    assert text.count("data:image/png;base64") >= 5
    assert not re.search(r'<(script|link)[^>]*="https?:', text)
    assert "Questions for a class" in text
    assert f"mAP {result['trained']['mAP']:.1f}" in summary(result, out, page)[0]


def test_a_folder_that_is_no_run_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    clear(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_the_lesson_on_data_breaks_a_copy_and_names_each_fault(tmp_path: Path) -> None:
    parameters = {"out": str(tmp_path / "lesson"), "people": 8}
    run = run_notebook(ROOT / "notebooks/01_data.ipynb", parameters, tmp_path / "page.html")
    result = run.result
    assert result["healthy"] is True
    assert result["found"] == [
        "broken-picture", "duplicate-people", "duplicate-train-test", "litter", "strange-name",
    ]  # fmt: skip
    assert result["lost"] == "missing"
    assert result["pictures"]["train"] == 96
    assert result["own"] == 24
    for name in ("people", "roles"):
        assert (tmp_path / f"lesson/{name}.png").read_bytes().startswith(b"\x89PNG")
    outputs = [o for cell in run.notebook.cells for o in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    text = (tmp_path / "page.html").read_text()
    assert "bounding_box_train" in text


def test_every_notebook_is_run() -> None:
    ran = {"00_quickstart", "01_data"}
    ran |= {"02_model", "03_losses", "04_training", "09_your_own"}  # test_course
    ran |= {
        "05_attention",
        "06_retrieval",
        "06b_why_this_one",
        "07_ablation",
        "08_paper_figures",
    }  # test_explaining
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} == ran
