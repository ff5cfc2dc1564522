"""Compared methods through what runs MFA: training, scoring, counting, rank grids."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mfa import presets
from mfa.cli import COMMANDS, run
from mfa.config import Config
from mfa.errors import InputError
from mfa.inference.evaluate import evaluate, extract_features
from mfa.inference.external import from_callable
from mfa.inference.external.scoring import evaluate_external
from mfa.models import build_model
from mfa.models.peers import names
from mfa.models.peers.parts.peer import PeerNetwork
from mfa.records import ReidDataset
from mfa.runs.run import open_run, untrained
from mfa.training.fit import fit

OWN = {
    "abd_net": "orthogonality",
    "daaf_bot_like": "holistic",
    "gasm_like": "matching",
    "isp_like": "parsing",
    "ra_loss_like": "ra",
}
"""Methods with losses of their own, and one of these."""


def small(name: str, tiny_config: Config) -> Config:
    peer = presets.peer(tiny_config, name)
    return replace(peer, optim=replace(peer.optim, epochs=1, warmup_epochs=0))


@pytest.mark.parametrize("name", names())
def test_trained_opened_and_scored(
    name: str, tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    config = small(name, tiny_config)
    (record,) = fit(config, tiny_data, tmp_path / name, device="cpu", progress=False)
    losses, weights = record.losses, config.loss
    assert np.isfinite(list(losses.values())).all()
    opened = open_run(tmp_path / name)
    assert opened.config == config
    result = evaluate(opened, tiny_data)
    assert 0 < result.mAP <= 1
    assert result.features is not None
    assert [branch for branch, _ in result.features.branches] == list(opened.model.widths)
    assert result.card["model"] == f"tiny/{name}"
    assert isinstance(opened.model, PeerNetwork)
    assert opened.model.has_own_terms == (name in OWN)
    if name in OWN:
        added = losses[OWN[name]]
        common = weights.id_weight * losses["id"] + weights.triplet_weight * losses["triplet"]
        assert added > 0
        assert losses["total"] >= common + added - 1e-5  # added up in float32


def test_counted_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mfa", COMMANDS, ["complexity", "osnet", "--json"]) == 0
    counted = json.loads(capsys.readouterr().out)
    assert (counted["parameters"], counted["descriptor_dim"]) == (2_169_508, 512)
    assert run("mfa", COMMANDS, ["complexity", "osnett"]) == 2
    assert "no preset 'osnett'" in capsys.readouterr().err


def test_a_model_from_elsewhere_is_scored_and_kept(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def means(values: np.ndarray) -> np.ndarray:
        calls.append(len(values))
        return values.reshape(len(values), 3, 16, -1).mean(axis=3).reshape(len(values), -1)

    model = from_callable(means, size=(64, 32))
    result = evaluate_external(model, tiny_data, keep=tmp_path)
    assert list(tmp_path.iterdir()) == []  # nothing says whether it is the same function tomorrow
    hashed = replace(model, hash="0123456789ab")
    first = evaluate_external(hashed, tiny_data, keep=tmp_path)
    (kept,) = tmp_path.iterdir()
    assert "0123456789ab-64x32-unit-synthetic-" in kept.name
    before = len(calls)
    second = evaluate_external(hashed, tiny_data, keep=tmp_path)
    assert len(calls) == before
    assert first.mAP == second.mAP == result.mAP
    own = extract_features(untrained(tiny_config), tiny_data).origin
    stated = (own[field] for field in ("dataset", "fingerprint", "split"))
    assert [*stated] == [result.card[field] for field in ("dataset", "fingerprint", "split")]
    flipped = evaluate_external(model, tiny_data, flip=True)
    assert flipped.card["flip"] is True
    # Means of whole rows do not see a mirror.
    assert flipped.mAP == pytest.approx(result.mAP)


@pytest.mark.parametrize(
    ("name", "stride"),
    [("osnet", 12), ("osnet", 32), ("transreid", 32), ("aaformer", 32), ("pcb", 12)],
)
def test_a_stride_that_a_method_does_not_have_is_refused(name: str, stride: int) -> None:
    config = replace(presets.get(f"{name}-demo").model, stride=stride)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=f"has no stride {stride}"):
        build_model(config)
