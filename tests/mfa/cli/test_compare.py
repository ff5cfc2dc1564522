from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mfa.cli import COMMANDS, run
from mfa.cli.models import is_run
from mfa.inference.evaluate import evaluate
from mfa.models.weights import RELEASED
from mfa.retrieval import feature_file
from mfa.runs.checkpoint import CHECKPOINT
from mfa.runs.run import open_run


def mfa(*argv: object) -> int:
    return run("mfa", COMMANDS, ["compare", *(str(word) for word in argv)])


@pytest.fixture
def folders(tiny_run: Path, tmp_path: Path) -> tuple[Path, Path]:
    ignore = shutil.ignore_patterns("features", "results")
    first, second = (
        Path(shutil.copytree(tiny_run, tmp_path / name, ignore=ignore)) for name in ("a", "b")
    )
    return first, second


MEANS = """def means(values):
    return values.reshape(len(values), 48, -1).mean(axis=2)
"""


def test_runs_and_a_function_in_one_table(
    folders: tuple[Path, Path],
    tiny_root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(MEANS)
    own = f"{tmp_path / 'own.py'}:means"
    words = (*folders, own, "--size", 64, 32, "--data", "synthetic", "--data-root", tiny_root)
    assert mfa(*words, "--json", "--output", tmp_path / "out" / "table.csv") == 0
    out = capsys.readouterr().out
    made = json.loads(out)
    assert out.count("\n") == 1
    assert [row["name"] for row in made["models"]] == ["a", "b", "means"]
    result = evaluate(open_run(folders[0]), "synthetic", data_root=tiny_root)
    assert made["models"][0]["mAP"] == pytest.approx(100 * result.mAP, abs=0.006)
    assert made["models"][0]["rank1"] == pytest.approx(100 * result.rank1, abs=0.006)
    assert made["cards"]["means"]["input_size"] == "64x32"
    same = [row for row in made["pairs"] if (row["first"], row["second"]) == ("a", "b")]
    assert {row["figure"] for row in same} == {"rank1", "mAP"}
    assert {(row["difference"], row["gained"], row["lost"]) for row in same} == {(0, 0, 0)}
    assert len(made["pairs"]) == 6
    assert made["not_comparable"] == []
    table = pd.read_csv(tmp_path / "out" / "table.csv")
    assert list(table["name"]) == ["a", "b", "means"]
    assert set(table["fingerprint"]) == {result.card["fingerprint"]}
    assert table["checkpoint"][0] == result.card["checkpoint"]
    assert table["inputs"].fillna("").tolist() == ["", "", "unit"]
    assert table["versions"].str.startswith("mfa ").all()
    assert len(pd.read_csv(tmp_path / "out" / "table-pairs.csv")) == 6
    turned = pd.read_csv(tmp_path / "out" / "table-flipped.csv")
    for row in made["pairs"]:
        ours = turned[(turned["first"] == row["first"]) & (turned["second"] == row["second"])]
        counts = ours["change"].value_counts()
        assert (counts.get("gained", 0), counts.get("lost", 0)) == (row["gained"], row["lost"])
    assert len(turned) > 0
    assert set(turned["query"]) <= set(result.counted["query"])


def test_released_weights_and_files_of_a_run_are_runs(
    folders: tuple[Path, Path], tiny_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folders[0] / CHECKPOINT
    assert mfa(file, folders[1], "--data", "synthetic", "--data-root", tiny_root, "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert {row["difference"] for row in made["pairs"]} == {0}
    assert all(is_run(name) for name in RELEASED)
    assert not is_run("nothing.onnx")
    assert mfa("nothing", "--data", "synthetic", "--data-root", tiny_root) == 2
    assert "no run and no model 'nothing'" in capsys.readouterr().err


def test_words_and_names_that_are_alike(
    folders: tuple[Path, Path], tiny_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mfa(folders[0], folders[0], "--data", "synthetic", "--data-root", tiny_root) == 0
    out = capsys.readouterr().out
    assert "a (2) - a: mAP +0.00 (+0.00 to +0.00), p 1.0000" in out
    assert "gained on 0, lost on 0 queries" in out


def test_other_data_are_not_tested_and_the_difference_is_named(
    folders: tuple[Path, Path],
    tiny_root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("--data", "synthetic", "--data-root", tiny_root)
    evaluate(open_run(folders[0]), "synthetic", data_root=tiny_root)
    kept = next((folders[0] / "features").glob("*.npz"))
    features = feature_file.read(kept)
    other = replace(features, origin={**features.origin, "fingerprint": "of other pictures"})
    feature_file.write(tmp_path / "other.npz", other)
    assert mfa(folders[0], tmp_path / "other.npz", *words, "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert len(made["models"]) == 2
    assert made["pairs"] == []
    (refused,) = made["not_comparable"]
    assert "fingerprint is" in refused["why"]
    assert "of other pictures" in refused["why"]


def test_what_cannot_be_compared_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mfa() == 2
    assert mfa("some-run") == 2
    assert "say which dataset" in capsys.readouterr().err


def test_parts_of_the_queries_are_held_against_the_first(
    world: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = world.anchored, world.guided
    words = (*runs, "--data", "synthetic", "--data-root", world.root, "--slices")
    assert mfa(*words, "--output", tmp_path / "two.csv") == 0
    said = capsys.readouterr().out
    assert mfa(*words, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    table = pd.read_csv(tmp_path / "two-slices.csv")
    cameras = {sample.camid for sample in world.data.query}
    assert len(cameras) > 1
    wanted = {"all queries", *(f"camera {camid}" for camid in cameras)}
    assert wanted < set(table["slice"])
    assert all(name in said for name in wanted)
    assert len(facts["slices"]) == len(table)
    whole = table[(table["slice"] == "all queries") & (table["figure"] == "mAP")].iloc[0]
    assert (whole["reference"], whole["model"]) == ("anchored", "guided")
    models = {row["name"]: row["mAP"] for row in facts["models"]}
    assert [whole["first"], whole["second"]] == pytest.approx(
        [models["anchored"], models["guided"]], abs=0.006
    )
    parts = table[table["slice"].str.startswith("camera") & (table["figure"] == "mAP")]
    assert (parts["first"] * parts["queries"]).sum() / parts["queries"].sum() == pytest.approx(
        models["anchored"], abs=0.006
    )


def test_parts_need_two_results_that_can_be_tested(
    folders: tuple[Path, Path], tiny_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (folders[0], "--data", "synthetic", "--data-root", tiny_root, "--slices")
    assert mfa(*words) == 2
    assert "--slices compares models on parts of the queries" in capsys.readouterr().err
