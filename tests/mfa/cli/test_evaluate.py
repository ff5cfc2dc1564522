from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mfa.cli import COMMANDS, run
from mfa.datasets import load_dataset
from mfa.datasets.readers.folders import further_queries
from mfa.inference.evaluate import evaluate
from mfa.records import ReidDataset
from mfa.retrieval.results import RetrievalResult
from mfa.runs.run import open_run


def mfa(*argv: object) -> int:
    return run("mfa", COMMANDS, ["evaluate", *(str(word) for word in argv)])


@pytest.fixture
def folder(tiny_run: Path, tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("features", "results")
    return Path(shutil.copytree(tiny_run, tmp_path / "tiny", ignore=ignore))


def test_json_is_one_object_with_all_figures(
    folder: Path, tiny_root: Path, tiny_data: ReidDataset, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mfa(folder, "--data-root", tiny_root, "--json") == 0
    out = capsys.readouterr().out
    made = json.loads(out)
    assert out.count("\n") == 1
    figures = ("rank1", "rank5", "rank10", "mAP", "mAP_trapezoid", "mINP")
    counts = ("queries", "gallery", "dropped_queries")
    assert made.keys() >= {"run", "card", *figures, *counts}
    result = evaluate(open_run(folder), tiny_data)
    for name in figures:
        assert made[name] == pytest.approx(100 * getattr(result, name), abs=0.01)
    assert [made[name] for name in counts] == [4, len(tiny_data.gallery), 0]
    assert made["run"] == "tiny"
    assert made["card"] == result.card

    saved = RetrievalResult.load(folder / "results/synthetic.json")
    assert saved.mAP == result.mAP
    assert len(pd.read_csv(folder / "results/synthetic.csv")) == 4


def test_device_and_precision_reach_the_network(
    folder: Path, tiny_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (folder, "--data-root", tiny_root, "--device", "cpu", "--precision", "bfloat16")
    assert mfa(*words, "--json") == 0
    assert json.loads(capsys.readouterr().out)["card"]["precision"] == "bfloat16"
    assert (folder / "results/synthetic-bfloat16.json").is_file()
    assert not (folder / "results/synthetic.json").exists()
    assert mfa(folder, "--data-root", tiny_root, "--device", "cuda:99") == 2
    assert "no cuda:99" in capsys.readouterr().err


def test_words_tell_figures_drops_and_what_was_left_out(
    folder: Path, draw: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{pid:04}_c{cam}s1_000002_00.jpg" for pid in (11, 12) for cam in (2, 3)]
    names += ["0013_c1s1_000002_00.jpg", "0014_c2s1_000002_00.jpg"]
    root = draw(tmp_path / "data", gallery=names)
    (root / "synthetic/bounding_box_test" / names[-1]).write_bytes(b"")
    assert mfa(folder, "--data-root", root, "--separation", "--flip") == 0
    printed = capsys.readouterr()
    assert "2 of 4 queries are dropped; the first: all " in printed.err
    out = printed.out.splitlines()
    assert out[0].startswith("tiny on synthetic: mAP ")
    assert sum(line.startswith("4 queries, 2 dropped; ") for line in out) == 1
    assert "trained on synthetic, scored on synthetic" in out
    assert any(line.startswith("map_cosine: ") for line in out)
    assert out[-1].startswith("1 pictures could not be read and were left out; first: 0014_c2")
    assert (folder / "results/synthetic-flip.json").is_file()


def test_separation_comes_by_asking(
    folder: Path, tiny_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mfa(folder, "--data-root", tiny_root, "--json", "--separation") == 0
    made = json.loads(capsys.readouterr().out)["separation"]
    assert made.keys() >= {"centroid/branch1", "centroid/branch2", "map_cosine", "r2/branch1"}


def test_without_the_camera_filter(
    folder: Path, tiny_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mfa(folder, "--data-root", tiny_root, "--json", "--no-camera") == 0
    card = json.loads(capsys.readouterr().out)["card"]
    assert card["camera_filter"] is False


@pytest.fixture
def partial_root(tmp_path: Path) -> Path:
    """Three people in Partial-REID's layout; occluded and partial pictures differ."""
    for folder in ("occluded_body_images", "partial_body_images", "whole_body_images"):
        (tmp_path / "partial" / "synthetic_partial" / folder).mkdir(parents=True)
        for pid in (1, 2, 3):
            for shot in (1, 2):
                rng = np.random.default_rng([pid, shot, len(folder)])
                pixels = rng.integers(0, 255, (64, 32, 3)).astype(np.uint8)
                place = tmp_path / "partial/synthetic_partial" / folder
                Image.fromarray(pixels).save(place / f"{pid:03}_{shot:03}.jpg")
    (tmp_path / "partial/synthetic_partial/synthetic.json").write_text("{}", encoding="utf-8")
    return tmp_path / "partial"


def test_another_partial_set_by_one_command(
    folder: Path, partial_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = (folder, "--data", "synthetic_partial", "--data-root", partial_root)
    common = (*common, "--gallery", "whole", "--json")
    assert mfa(*common, "--query", "partial", "--single-shot", "--draws", 9, "--seed", 2) == 0
    drawn = json.loads(capsys.readouterr().out)
    assert (drawn["draws"], drawn["seed"], drawn["gallery_drawn"]) == (9, 2, 3)
    assert "rank1_spread" in drawn
    card = drawn["card"]
    assert (card["trained_on"], card["scored_on"]) == ("synthetic", "synthetic_partial")
    assert card["split"] == "partial_body_images against whole_body_images"
    assert card["protocol"].startswith("single gallery shot")
    assert card["filter"] == "no camera filter is applied: no camera is known"

    assert mfa(*common, "--query", "occluded") == 0
    whole = json.loads(capsys.readouterr().out)["card"]
    assert whole["split"] == "occluded_body_images against whole_body_images"
    assert whole["protocol"] == "every gallery picture kept"
    written = {path.name for path in (folder / "results").glob("*.json")}
    assert written == {"synthetic_partial-single-shot.json", "synthetic_partial_occluded.json"}


def test_reranking_is_said_in_the_card_and_kept_apart(
    folder: Path, tiny_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = (folder, "--data-root", tiny_root, "--json")
    assert mfa(*common) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["card"]["reranking"] == "none"
    assert mfa(*common, "--rerank", "--k1", 4, "--k2", 2) == 0
    printed = capsys.readouterr()
    assert "MiB of memory" in printed.err
    card = json.loads(printed.out)["card"]
    assert card["reranking"] == "k-reciprocal, k1=4, k2=2, lambda=0.3"
    assert RetrievalResult.load(folder / "results/synthetic.json").card == plain["card"]
    assert RetrievalResult.load(folder / "results/synthetic-rerank.json").card == card


def test_multi_query_takes_gt_bbox_where_there_is_one(
    folder: Path, draw: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = draw(tmp_path / "data")
    common = (folder, "--data-root", root, "--json", "--multi-query")
    assert mfa(*common) == 0
    card = json.loads(capsys.readouterr().out)["card"]
    assert "the query list's pictures" in card["query_protocol"]
    place = root / "synthetic/gt_bbox"
    shutil.copytree(root / "synthetic/query", place)
    shutil.copy(place / "0011_c1s1_000001_00.jpg", place / "0999_c1s1_000001_00.jpg")
    data = load_dataset("synthetic", root)
    assert [s.pid for s in further_queries(data.root, data.query)] == [11, 12, 13, 14]
    assert mfa(*common) == 0
    made = json.loads(capsys.readouterr().out)
    assert "further pictures" in made["card"]["query_protocol"]
    # Copies of the queries themselves: pooling changes nothing but the scale.
    assert made["mAP"] == pytest.approx(100 * evaluate(open_run(folder), data).mAP, abs=0.01)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["/nowhere/run"], "error: no checkpoint /nowhere/run/checkpoint.safetensors; train"),
        (["RUN", "--query", "partial"], "choose lists of a partial set; add --data partial_reid"),
        (["RUN", "--data", "imagenet"], "error: no dataset 'imagenet'; name one of market1501"),
        (["RUN", "--data-root", "/nowhere"], "the data root /nowhere is no folder"),
    ],
)
def test_what_cannot_be_scored_is_one_sentence(
    folder: Path, argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mfa(*[folder if word == "RUN" else word for word in argv]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_positives_all_on_one_camera_is_explained(
    folder: Path, draw: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{pid:04}_c1s1_000002_00.jpg" for pid in range(11, 15)]
    root = draw(tmp_path / "data", gallery=names)
    assert mfa(folder, "--data-root", root) == 2
    said = capsys.readouterr().err
    assert "all by the query's own camera" in said
    # What it advises must be an option of this command too.
    assert "--no-camera)" in said
