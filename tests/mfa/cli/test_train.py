from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from mfa import presets
from mfa.cli import COMMANDS, run
from mfa.cli.train import parse
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.inference.evaluate import evaluate
from mfa.records import EpochRecord
from mfa.retrieval.results import RetrievalResult
from mfa.runs.run import open_run

TINY = [
    "demo",
    *("--model.width", "8", "--model.branches", "2", "--model.cpaa", "4"),
    *("--data.height", "64", "--data.width", "32", "--data.pids", "3", "--data.images", "2"),
]
"""The demo preset, small enough for the tiny set."""


def mfa(*argv: object) -> int:
    return run("mfa", COMMANDS, [str(word) for word in argv])


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_help_needs_no_pytorch(command: str) -> None:
    script = f"""
import sys
from mfa.cli import COMMANDS, run
try:
    run("mfa", COMMANDS, [{command!r}, "--help"])
finally:
    heavy = {{"torch", "torchvision", "pandas", "matplotlib"}} & set(sys.modules)
    assert not heavy, heavy
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert f"mfa {command}" in done.stdout
    assert "--data-root" in done.stdout


def test_any_field_overrides_the_preset() -> None:
    options = parse(["cpu", "--optim.lr", "0.125", "--loss.gla", "off", "--model.cpaa", "2", "3"])
    cpu = presets.cpu()
    assert options.preset == "cpu"
    assert options.config.optim.lr == 0.125
    assert options.config.loss.gla == "off"
    assert options.config.model.cpaa == (2, 3)
    assert options.config.optim.epochs == cpu.optim.epochs
    assert options.config.data == cpu.data
    assert parse(["cpu"]).config == cpu


def test_a_variant_changes_the_preset_and_fields_still_override_it() -> None:
    options = parse(["demo", "--variant", "baseline", "--seed", "4"])
    expected = presets.variant(presets.demo(), "baseline")
    assert options.config.model == expected.model
    assert options.config.loss == expected.loss
    assert (options.config.name, options.config.seed) == ("demo/baseline", 4)
    assert parse(["demo", "--variant=anchored"]).config.model.gate == "anchored"
    assert (
        parse(["demo", "--variant", "guided", "--model.branches", "2"]).config.model.branches == 2
    )


@pytest.mark.parametrize(
    "argv",
    [
        ["--run", "paper", "demo"],  # values that are presets' names
        ["--data", "guided", "demo"],
        ["--variant", "guided", "demo"],
        ["--variant", "baseline", "--run", "cpu", "demo"],
    ],
)
def test_the_preset_is_the_word_that_is_no_options_value(argv: list[str]) -> None:
    options = parse(argv)
    assert options.preset == "demo"
    assert options.config.optim == presets.demo().optim
    assert options.config.data == presets.demo().data


def test_misspelt_words_train_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="no preset 'dmeo'; there are paper"):
        parse(["dmeo"])
    assert mfa("train", "dmeo") == 2
    assert capsys.readouterr().err.startswith("error: no preset 'dmeo'")
    for argv in (["demo", "--variant", "gated"], ["demo", "--model.brances", "2"]):
        with pytest.raises(SystemExit) as left:
            parse(argv)
        assert left.value.code == 2


def test_train_then_resume(
    tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tiny"
    argv = [*TINY, "--data-root", tiny_root, "--run", folder, "--optim.epochs", 1]
    assert mfa("train", *argv, "--device", "cpu") == 0
    said = capsys.readouterr()
    epoch, last = said.out.splitlines()
    assert epoch.startswith("epoch 1: total ")
    assert " img/s " in epoch
    command = f"mfa evaluate {folder} --data synthetic --data-root {tiny_root}"
    assert last == f"run {folder}; score it with: {command}"
    trained = open_run(folder)
    assert trained.config.name == presets.demo().name
    assert (trained.config.model.width, trained.config.data.pids) == (8, 3)

    assert mfa("train", *argv) == 2
    assert "already holds a run; go on with --resume" in capsys.readouterr().err
    assert mfa("train", *argv, "--seed", 5, "--resume") == 2
    assert "seed was 0, now 5" in capsys.readouterr().err
    assert mfa("train", *argv, "--resume") == 0
    assert capsys.readouterr().out.splitlines() == [last]


def test_switches_reach_the_training(
    tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fit(*_: object, compile: bool, tensorboard: bool, **__: object) -> list[EpochRecord]:
        asked.append((compile, tensorboard))
        return []

    monkeypatch.setattr("mfa.training.fit.fit", fit)
    argv = ["train", *TINY, "--data-root", tiny_root, "--run", tmp_path / "x"]
    for switches in ([], ["--compile"], ["--tensorboard"]):
        assert mfa(*argv, *switches) == 0
    assert asked == [(False, False), (True, False), (False, True)]


def test_threads_are_set(tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    argv = [*TINY, "--data-root", tiny_root, "--run", tmp_path / "x", "--data.pids", 7]
    assert mfa("train", *argv, "--threads", 3) == 2  # seven people are not there
    assert asked == [3]


def test_no_data_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mfa("train", *TINY, "--data-root", tmp_path, "--run", tmp_path / "x") == 2
    said = capsys.readouterr().err
    assert said.startswith("error: no synthetic set under")
    assert "mfa data make synthetic" in said
    assert not (tmp_path / "x").exists()


def draw_others(root: Path) -> Path:
    """Three people in the layout of a partial set, and a table of the same pictures."""
    place = root / "synthetic_partial"
    rows = ["path,pid,camid,split"]
    for part, split in (("partial_body_images", "query"), ("whole_body_images", "gallery")):
        (place / part).mkdir(parents=True)
        for pid in (1, 2, 3):
            colour = (80 * pid, 255 - 80 * pid, 20 if split == "query" else 60)
            Image.new("RGB", (32, 64), colour).save(place / part / f"{pid:03}_001.jpg")
            rows.append(f"synthetic_partial/{part}/{pid:03}_001.jpg,{pid},,{split}")
    (place / "synthetic.json").write_text("{}")
    (root / "dataset.csv").write_text("\n".join(rows))
    return root


def test_a_cross_dataset_run_is_one_command(
    tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others, folder = draw_others(tmp_path / "others"), tmp_path / "tiny"
    argv = [*TINY, "--data-root", tiny_root, "--run", folder, "--optim.epochs", 1]
    argv += ["--score-on", "synthetic_partial", "folder", "--score-root", others]
    assert mfa("train", *argv) == 0
    said = capsys.readouterr().out
    assert "tiny on synthetic_partial: mAP " in said
    assert "trained on synthetic, scored on synthetic_partial" in said
    names = {"synthetic_partial": "synthetic_partial", "folder-others": "folder"}
    for name, dataset in names.items():
        kept = RetrievalResult.load(folder / f"results/{name}.json")
        assert (kept.card["trained_on"], kept.card["scored_on"]) == ("synthetic", dataset)
        assert kept.card["fingerprint"] == load_dataset(dataset, others).fingerprint
        assert list(kept.per_query["name"]) == ["001_001.jpg", "002_001.jpg", "003_001.jpg"]
        assert kept.mAP == evaluate(open_run(folder), dataset, data_root=others).mAP
    results = {file.name for file in (folder / "results").iterdir()}
    assert results == {f"{name}{ending}" for name in names for ending in (".json", ".csv")}


def test_what_is_scored_on_is_checked_before_the_training(
    tiny_root: Path, draw: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tiny"
    argv = [*TINY, "--data-root", tiny_root, "--run", folder]
    assert mfa("train", *argv, "--score-on", "partial_reid") == 2
    assert "error: no Partial-REID under" in capsys.readouterr().err
    broken = draw(tmp_path / "broken")
    for file in (broken / "synthetic/query").iterdir():
        file.write_bytes(b"")
    argv += ["--score-on", "synthetic", "--score-root", broken]
    assert mfa("train", *argv) == 2
    assert "error: none of the 4 pictures can be read" in capsys.readouterr().err
    assert not folder.exists()
