"""``mfa evaluate FILE.npz`` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.made import made_features
from mfa.cli import COMMANDS, run
from mfa.cli.evaluate import main
from mfa.errors import InputError
from mfa.retrieval import feature_file
from mfa.retrieval.metrics import score
from mfa.retrieval.results import RetrievalResult

REAL = Path(__file__).resolve().parents[3].parent / "shared/data/features"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = made_features(
        queries=20, gallery=80, people=10, distractors=10, cameras=3, width=8, noise=1.3
    )
    feature_file.write(tmp_path / "f.npz", made)
    return tmp_path / "f.npz"


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    names = ("whole", "partial")
    content: dict[str, Any] = {name: rng.normal(size=(12, 4)) for name in names}
    content |= {f"{name}_pid": np.repeat([1, 2, 3], 4) for name in names}
    np.savez(tmp_path / "g.npz", **content)
    return tmp_path / "g.npz"


def answer(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[dict[str, Any], str]:
    """The JSON object on stdout, and what was said beside it."""
    main([*map(str, argv), "--json"])
    printed = capsys.readouterr()
    return json.loads(printed.out), printed.err


def test_json_holds_the_figures_in_percent(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures, said = answer(capsys, file)
    expected = score(feature_file.read(file)).summary(percent=True)
    assert {name: figures[name] for name in expected} == expected
    assert figures["unit"] == "percent"
    assert figures["card"]["features"] == "f.npz"
    assert said == ""


def test_words_show_figures_intervals_and_protocol(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(file)])
    printed = capsys.readouterr().out
    mean_precision = score(feature_file.read(file)).summary(percent=True)["mAP"]
    assert f"{mean_precision:.2f} %   95 % interval" in printed
    assert "filter: gallery pictures of the query's person" in printed
    assert "reranking: none" in printed


def test_options_reach_the_scoring(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    features = feature_file.read(file)
    figures, _ = answer(capsys, file, "--no-camera", "--distance", "euclidean", "--intervals", 0)
    expected = score(features, camera_filter=False, distance="euclidean")
    assert figures["mAP"] == expected.summary(percent=True, draws=0)["mAP"]
    assert figures["interval"] == {}
    assert figures["card"]["filter"] == "no camera filter is applied"


def test_reranking_is_off_unless_asked_and_says_its_memory(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, said = answer(capsys, file, "--rerank", "--k1", 8, "--k2", 3)
    assert "MiB of memory" in said
    assert figures["card"]["reranking"] == "k-reciprocal, k1=8, k2=3, lambda=0.3"


def test_single_shot_by_groups(groups: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--query", "partial", "--gallery", "whole", "--no-camera")
    drawn, _ = answer(capsys, groups, *options, "--single-shot", "--draws", 20, "--seed", 3)
    assert (drawn["draws"], drawn["seed"], drawn["gallery_drawn"]) == (20, 3, 3)
    assert drawn["rank1_spread"] > 0
    assert "single gallery shot" in drawn["card"]["protocol"]
    whole, _ = answer(capsys, groups, *options)
    assert whole["card"]["protocol"] == "every gallery picture kept"


def test_a_file_without_cameras_says_that_no_filter_applies(
    groups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, said = answer(capsys, groups, "--query", "partial", "--gallery", "whole")
    assert "no camera is known" in said
    assert figures["card"]["camera_filter"] is False


def test_multi_query_pools_the_query_group(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    features = feature_file.read(file)
    kinds = set(zip(features.query.pids.tolist(), features.query.camids.tolist(), strict=True))
    figures, _ = answer(capsys, file, "--multi-query", "query")
    assert figures["queries"] == len(kinds) < 20
    assert "multi-query" in figures["card"]["query_protocol"]
    kept, _ = answer(capsys, file, "--multi-query", "gallery")
    assert kept["queries"] == 20


def test_output_keeps_figures_and_queries(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, _ = answer(capsys, file, "--output", tmp_path / "out" / "r.json")
    kept = json.loads((tmp_path / "out" / "r.json").read_text())
    assert round(100 * kept["summary"]["mAP"], 2) == figures["mAP"]
    assert len((tmp_path / "out" / "r.csv").read_text().splitlines()) == 21
    drawn, _ = answer(capsys, file, "--single-shot", "--output", tmp_path / "drawn.json")
    kept = json.loads((tmp_path / "drawn.json").read_text())
    assert round(100 * kept["summary"]["rank1"], 2) == drawn["rank1"]
    assert kept["card"] == drawn["card"]
    assert len((tmp_path / "drawn.csv").read_text().splitlines()) == 21
    with pytest.raises(InputError, match="not a saved result"):
        RetrievalResult.load(tmp_path / "drawn.json")


def test_dropped_queries_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = {"query": np.eye(2), "query_pid": [1, 7], "gallery": np.eye(2), "gallery_pid": [1, 2]}
    np.savez(tmp_path / "f.npz", **content)
    figures, said = answer(capsys, tmp_path / "f.npz")
    assert figures["dropped_queries"] == 1
    assert "1 of 2 queries are dropped; the first: no gallery picture of identity 7" in said


def test_branches_by_name_and_weight(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import dataclasses

    made = made_features(
        queries=9, gallery=40, people=5, distractors=4, cameras=2, width=6, noise=1.0
    )
    feature_file.write(
        tmp_path / "b.npz", dataclasses.replace(made, branches=(("one", 2), ("two", 4)))
    )
    figures, _ = answer(capsys, tmp_path / "b.npz", "--branch", "one", "two=0.5")
    assert figures["card"]["branch_weights"] == {"one": 1.0, "two": 0.5}
    with pytest.raises(InputError, match="'heavy' is not a number"):
        main([str(tmp_path / "b.npz"), "--branch", "one=heavy"])


def test_a_group_against_itself_needs_cameras(groups: Path) -> None:
    with pytest.raises(InputError, match="every picture would find itself"):
        main([str(groups), "--query", "whole", "--gallery", "whole"])


def test_a_place_that_cannot_be_written_is_told(file: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(InputError, match=r"folder\.json cannot be written"):
        main([str(file), "--output", str(tmp_path / "folder.json")])


def test_an_error_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("mfa", COMMANDS, ["evaluate", str(tmp_path / "none.npz"), "--json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "no feature file" in printed.err


@pytest.mark.real
def test_the_public_figures_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    path = REAL / "market1501_0277.npz"
    if not path.exists():
        pytest.skip("needs the public models' features of Market-1501")
    figures, _ = answer(capsys, path)
    names = ("rank1", "rank5", "rank10", "rank20", "mAP", "mAP_trapezoid", "mINP")
    expected = [96.17, 98.52, 99.20, 99.55, 87.71, 87.30, 62.29]
    assert [figures[name] for name in names] == expected


def test_a_gallery_without_labels_is_ranked_and_not_scored(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(file) as whole:
        arrays = {name: whole[name] for name in whole.files if not name.endswith("_pid")}
    np.savez(tmp_path / "blind.npz", **arrays)
    with pytest.raises(InputError, match=r"no array 'query_pid'.*--ranking FILE.csv"):
        main([str(tmp_path / "blind.npz")])
    out = tmp_path / "list.csv"
    main([str(tmp_path / "blind.npz"), "--ranking", str(out), "--top", "3"])
    table = pd.read_csv(out)
    query, gallery = (
        a / np.linalg.norm(a, axis=1, keepdims=True) for a in (arrays["query"], arrays["gallery"])
    )
    nearest = np.argsort(1 - query @ gallery.T, axis=1)[:, :3]
    assert table["gallery"].tolist() == nearest.ravel().tolist()
    assert table["gallery_name"].tolist() == arrays["gallery_name"][nearest.ravel()].tolist()
    assert (table.groupby("query")["distance"].diff().dropna() >= 0).all()
    assert "nothing was scored" in capsys.readouterr().err
    with pytest.raises(InputError, match="k is 1 to the"):
        main([str(tmp_path / "blind.npz"), "--ranking", str(out), "--top", "100000"])
