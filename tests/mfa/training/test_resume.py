"""What a training writes down of its start, and what one of an earlier version goes on with.

That a resumed training equals an undisturbed one is held for every network and start by
``tests/mfa/models/test_every_network.py``, and in the fast suite by ``test_fit.py``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mfa.config import Config
from mfa.records import ReidDataset
from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint, save_checkpoint
from mfa.runs.run import open_run
from mfa.training.fit import fit


@pytest.mark.parametrize("start", ["weights", "init"])
def test_the_checkpoint_says_what_the_training_started_from(
    start: str, tiny_config: Config, tiny_data: ReidDataset, tiny_run: Path, tmp_path: Path
) -> None:
    config, init = tiny_config, open_run(tiny_run, "cpu")
    if start == "weights":
        config = replace(config, model=replace(config.model, weights=str(tiny_run)))
    given = init if start == "init" else None
    next(fit(config, tiny_data, tmp_path, init=given, device="cpu", progress=False))
    facts = load_checkpoint(tmp_path / CHECKPOINT).facts
    assert facts["watch"]["start"] > 0
    assert ("(" in facts["weights"], bool(facts["init"])) == (start == "weights", start == "init")


def test_a_run_of_the_first_format_learns_its_watch_from_the_history(
    tiny_run: Path, tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    next(fit(tiny_config, tiny_data, tmp_path, device="cpu", progress=False))
    old = load_checkpoint(tmp_path / CHECKPOINT)
    norm = old.facts.pop("watch")["previous"]
    save_checkpoint(old, tmp_path / CHECKPOINT)
    for _ in fit(tiny_config, tiny_data, tmp_path, resume=True, device="cpu", progress=False):
        pass
    resumed, whole = load_checkpoint(tmp_path / CHECKPOINT), load_checkpoint(tiny_run / CHECKPOINT)
    assert resumed.facts["watch"]["start"] == norm
    assert resumed.facts["watch"]["previous"] == whole.facts["watch"]["previous"]
