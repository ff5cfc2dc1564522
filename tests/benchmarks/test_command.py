"""``python -m benchmarks``: what it prints and keeps; the speeds belong to the machine."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import compared, evaluator, forward, harness, models
from benchmarks.__main__ import main
from benchmarks.made import made_features
from benchmarks.timing import ratio, seconds_each
from mfa.errors import InputError
from mfa.retrieval import feature_file
from mfa.retrieval.metrics import score


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = made_features(
        queries=30, gallery=200, people=15, distractors=20, cameras=3, width=8, noise=1.2
    )
    feature_file.write(tmp_path / "f.npz", made)
    return tmp_path / "f.npz"


def test_evaluator_answers_with_its_keys(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept" / "bench.json"
    main(["evaluator", "--features", str(file), "--repeats", "1", "--json", "--output", str(kept)])
    measured = json.loads(capsys.readouterr().out)
    assert measured["max_difference"] <= 1e-9
    assert measured["ratio_to_product"] > 0
    assert measured["ratio_to_argsort"] > 0
    assert measured["targets"]["max_difference"] == {"bound": "<= 1e-09", "met": True}
    assert measured["machine"]["cores"] >= 1
    assert measured["date"].startswith("20")
    assert json.loads(kept.read_text()) == measured


def test_words_say_whether_a_target_was_met(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluator", "--features", str(file), "--repeats", "1"])
    printed = capsys.readouterr().out
    assert "max_difference" in printed
    assert "target <= 1e-09: met" in printed


def test_forward_compares_ways_that_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "compiled", lambda network, freeze: network)  # takes a minute
    measured = forward.run(repeats=1, batch=1, height=64, width=32)
    ways = {"as_it_is", "folded", "compiled"}
    assert measured["relative_rate"].keys() == {"resnet50", "plain_compiled"} | ways
    assert measured["relative_rate"]["resnet50"] == 1
    assert 0 < measured["largest_difference"] < 1e-5  # folding rounds differently


def test_models_prints_a_line_a_network(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {
        "parameters_m": 28.299, "gmacs": 6.5, "images_per_second_1": 10.0,
        "images_per_second_64": 12.25, "memory_mib": 150.0, "memory_mib_64": 19000.4,
    }  # fmt: skip

    def small(repeats: int, networks: Sequence[str]) -> dict[str, Any]:
        assert compared.chosen(networks) == ("osnet", *compared.MFA)
        made = compared.compared(repeats, 64, 32, networks=["osnet"])
        made["paper"] = known | {"published": compared.published("paper")}
        made["guided"] = known | {"published": {}}
        return {"models": made, "mfa_relative_rate": 0.7, "mfa_memory_gib_64": 0.6}

    monkeypatch.setattr(models, "run", small)
    main(["models", "--repeats", "1", "--networks", "osnet", "mfa"])
    head, osnet, paper, guided = capsys.readouterr().out.splitlines()[-4:]
    assert re.split(r"  +", head.strip()) == [
        "network", "parameters (M)", "MACs (G)", "images/s at 1", "images/s at 64",
        "MiB at 1", "MiB at 64", "published",
    ]  # fmt: skip
    assert osnet.split()[0] == "osnet"
    assert float(osnet.split()[1]) == pytest.approx(2.1695, abs=1e-3)
    assert osnet.endswith("  2.2 M (the paper: 2.2 M at x1.0, 0.2 M at x0.25)")
    assert paper.split()[:7] == ["paper", "28.3", "6.5", "10", "12.25", "150", "19000"]
    assert paper.endswith("  28.3 M, 32 images/s on NVIDIA RTX 3090 (the paper)")
    assert guided.split() == ["guided", *paper.split()[1:7]]
    assert head.index("published") == osnet.index("2.2 M (") == paper.index("28.3 M,")


def test_max_difference_notices_a_wrong_score(file: Path) -> None:
    features = feature_file.read(file)
    right, wrong = score(features), score(features, camera_filter=False)
    assert evaluator.max_difference(features, right) <= 1e-9
    assert evaluator.max_difference(features, wrong) > 1e-3


def test_all_runs_every_bench_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fast(repeats: int) -> dict[str, Any]:
        return {"ratio": 1.5, "repeats": repeats}

    def broken() -> dict[str, Any]:
        raise InputError("no data for this one")

    modules = {
        "benchmarks.fast": SimpleNamespace(run=fast, TARGETS={"ratio": ("<=", 1.0)}),
        "benchmarks.broken": SimpleNamespace(run=broken),
    }
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(harness.importlib, "import_module", modules.__getitem__)
    monkeypatch.setattr(harness, "BENCHES", ("fast", "broken"))
    main(["all", "--repeats", "2", "--json"])
    measured = json.loads(capsys.readouterr().out)
    assert measured["benches"]["fast"]["repeats"] == 2
    assert measured["benches"]["fast"]["targets"]["ratio"] == {"bound": "<= 1", "met": False}
    assert measured["benches"]["broken"] == {"error": "no data for this one"}
    assert json.loads((tmp_path / "runs" / "bench.json").read_text()) == measured


def test_every_bench_in_the_table_has_a_run() -> None:
    import importlib

    for name in harness.BENCHES:
        assert callable(importlib.import_module(f"benchmarks.{name}").run)


def test_unknown_benches_and_options_are_refused(file: Path) -> None:
    with pytest.raises(InputError, match="no bench 'speed'; there are evaluator"):
        main(["speed"])
    with pytest.raises(InputError, match="bench msmt17 has no option 'features'"):
        main(["msmt17", "--features", str(file)])
    with pytest.raises(InputError, match="bench evaluator has no option 'networks'"):
        main(["evaluator", "--networks", "agw"])
    with pytest.raises(InputError, match="no preset 'resnet'"):
        main(["models", "--networks", "resnet"])
    with pytest.raises(InputError, match="all takes no --networks"):
        main(["all", "--networks", "agw"])
    with pytest.raises(InputError, match="repeats must be 1"):
        main(["evaluator", "--repeats", "0"])
    with pytest.raises(InputError, match="repeats must be 1 to 1000"):
        main(["evaluator", "--repeats", "1000000000"])


def test_ratio_is_the_median_of_turns_and_the_first_turn_is_not_timed() -> None:
    assert ratio([2.0, 9.0, 3.0], [1.0, 1.0, 1.0]) == 3.0
    calls: list[str] = []
    ways = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    seconds = seconds_each(ways, repeats=2)
    assert [len(values) for values in seconds.values()] == [2, 2]
    assert calls == ["a", "b"] * 3
