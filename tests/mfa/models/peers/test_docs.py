"""What docs/peers.md and the table of methods say."""

from __future__ import annotations

import csv
import importlib
import re
import sys
from pathlib import Path

import pytest
import torch

from mfa import presets
from mfa.models import build_model, peers
from mfa.models.peers import find, names

ROOT = Path(__file__).resolve().parents[4]
DOCS = (ROOT / "docs/peers.md").read_text(encoding="utf-8")


def rows(name: str) -> list[dict[str, str]]:
    with (ROOT / f"data/published/{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_peer_of_the_documentation_is_one_short_file_and_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (text,) = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    assert len(text.splitlines()) < 60
    assert "bagtricks_max" not in names()
    (tmp_path / "bagtricks_max.py").write_text(text)
    monkeypatch.setattr(peers, "__path__", [*peers.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "mfa.models.peers.bagtricks_max", raising=False)
    assert "bagtricks_max" in names()
    config = presets.get("bagtricks_max-demo")
    assert config.name == "demo/bagtricks_max"
    torch.manual_seed(0)
    network = build_model(config.model, 3).train()
    output = network(torch.rand(4, 3, 96, 48))
    logits = output.branches["global"].logits
    assert logits is not None
    assert logits.shape == (4, 3)
    sys.modules.pop("mfa.models.peers.bagtricks_max")


def test_every_network_has_its_row_and_every_row_without_one_its_reason() -> None:
    methods = rows("methods")
    assert {row["network"] for row in methods if row["network"]} == {"mfa", *names()}
    for row in methods:
        assert row["paper"], row["method"]
        assert bool(row["network"]) != bool(row["why"]), row["method"]
        assert not row["why"] or row["why"].endswith("."), row["method"]
        if row["network"] not in ("", "mfa"):
            assert find(row["network"]).paper == row["paper"]
        assert row["method"] == "MFA" or f"| {row['method']}" in DOCS, row["method"]
        if row["why"]:
            assert f"| {row['method']} | {row['why']} |" in DOCS


def test_every_published_method_is_in_the_table() -> None:
    known = {row["method"] for row in rows("methods")}
    compared = {row["method"] for row in rows("published") if row["kind"] in KINDS}
    assert compared <= known


KINDS = ("attention", "global", "stripe", "mask", "pose")
"""Kinds of published rows that the paper compares with; the others are ours or came later."""


@pytest.mark.parametrize("name", names())
def test_the_sizes_in_the_table_are_the_networks(name: str) -> None:
    tables = DOCS.partition("## Trained here")[0]
    (line,) = [line for line in tables.splitlines() if re.match(rf"\|[^|]*\| `{name}`", line)]
    stated = float(re.findall(r"\d+\.\d+", line.split("|")[3])[0])
    with torch.device("meta"):
        network = build_model(presets.get(name).model, pretrained=False)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert stated == pytest.approx(count / 1e6, abs=0.006)


def test_the_public_models_of_the_table_are_the_measured_rows() -> None:
    with (ROOT / "data/results/external-market1501.csv").open(encoding="utf-8") as file:
        measured = list(csv.DictReader(file))
    assert len(measured) == 4
    for row in measured:
        documented = f"{row['documented_rank1']} / {row['documented_mAP']}"
        ranks, rest = (
            ", ".join(f"{float(row[figure]):.2f}" for figure in figures)
            for figures in (("rank1", "rank5", "rank10"), ("mAP", "mAP_trapezoid", "mINP"))
        )
        assert f"| {row['name']} | {documented} | {ranks} | {rest} |" in DOCS
        # The documented figure is reached by one of the two rules.
        gaps = [abs(float(row[rule]) - float(row["documented_mAP"])) for rule in RULES]
        assert min(gaps) <= 0.1
        assert abs(float(row["rank1"]) - float(row["documented_rank1"])) <= 0.2
        assert row["commit"]
        assert row["checkpoint"]


RULES = ("mAP", "mAP_trapezoid")
