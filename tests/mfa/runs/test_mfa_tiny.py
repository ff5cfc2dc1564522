"""The weights that come along: small, whole, trained, and what their card says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mfa import presets
from mfa.cli import COMMANDS, run
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.inference import evaluate
from mfa.models import build_model, weights
from mfa.records import ReidDataset
from mfa.runs.run import Run, open_run

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "data" / "weights" / "mfa-tiny.safetensors"
REAL = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def tiny() -> Run:
    return open_run("mfa-tiny")


@pytest.fixture(scope="module")
def card() -> str:
    return (FILE.parent / "README.md").read_text(encoding="utf-8")


def test_it_is_a_whole_small_network_of_the_default_variant(tiny: Run, card: str) -> None:
    assert FILE.stat().st_size <= 8 * 2**20
    parameters = sum(p.numel() for p in tiny.model.parameters())
    assert parameters <= 4_000_000
    assert f"{parameters:,} parameters" in card
    assert tiny.config.model.branches == 4
    source = tiny.config.model.weights
    assert tiny.config.model == replace(presets.tiny().model, weights=source, projected_dim=128)
    assert "/" not in source
    assert tiny.model.widths == {f"branch{number}": 128 for number in (1, 2, 3, 4)}


def test_the_card_is_of_this_file_and_gives_its_terms(tiny: Run, card: str) -> None:
    assert tiny.hash in card
    for word in ("Apache-2.0", "research", "person-reidentification-retail-0277", "osnet_lct"):
        assert word in card
    for score in ("mAP", "Rank-1", "mINP", "single-shot"):
        assert score in card


def test_its_branches_look_at_different_heights(tiny: Run, tiny_data: ReidDataset) -> None:
    meter = evaluate.measure_separation(Run(None, tiny.checkpoint), tiny_data)
    heights = [meter[f"centroid/branch{i}"] for i in (1, 2, 3, 4)]
    assert heights == sorted(heights)
    assert heights[3] - heights[0] > 0.25


def test_it_starts_a_trunk_and_its_preset_fits_it(
    tiny: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    config = presets.tiny()
    network = build_model(config.model)
    assert re.search(r"trunk from mfa-tiny: (\d+) of \1 tensors", capsys.readouterr().err)
    theirs = tiny.model.trunk.state_dict()
    for name, value in network.trunk.state_dict().items():
        assert torch.equal(value, theirs[name]), name
    projected = {key for key in tiny.model.state_dict() if ".projection." in key}
    assert len(projected) == 8
    assert network.state_dict().keys() == tiny.model.state_dict().keys() - projected
    assert (config.data.height, config.data.width) == (
        tiny.config.data.height,
        tiny.config.data.width,
    )


def test_a_removed_file_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(weights, "shipped", lambda name: tmp_path / name)
    with pytest.raises(InputError, match=r"mfa-tiny\.safetensors: .* install it again"):
        weights.released_file("mfa-tiny")


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="the real datasets are not here")
def test_partial_reid_gives_the_cards_figures(
    tiny: Run, card: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("partial")
    archive = str(REAL / "Partial-REID.zip")
    words = ["data", "prepare", "partial_reid", "--archive", archive, "--data-root", str(root)]
    assert run("mfa", COMMANDS, words) == 0
    data = load_dataset("partial_reid", root)
    result = evaluate.evaluate(Run(None, tiny.checkpoint), data, camera_filter=False)
    (row,) = re.findall(r"^\| partial, every gallery image \| ([\d.]+) .*$", card, re.MULTILINE)
    assert 100 * result.rank1 == pytest.approx(float(row), abs=0.35)  # a query more or less


def test_what_it_leaves_lies_beside_the_checkouts_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = open_run("mfa-tiny").path
    assert path == Path(__file__).parents[3] / "runs" / "mfa-tiny"
