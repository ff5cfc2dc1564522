"""Training from a teacher, from given weights, and in bfloat16."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mfa import presets
from mfa.config import Config, derive
from mfa.errors import InputError
from mfa.records import EpochRecord, ReidDataset
from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint
from mfa.runs.run import open_run
from mfa.training.distillation import Teacher
from mfa.training.fit import fit


def train(config: Config, data: ReidDataset, run: Path | None, **keys: Any) -> list[EpochRecord]:
    return list(fit(config, data, run, device="cpu", progress=False, **keys))


def one_epoch(config: Config, **optim: float) -> Config:
    return replace(config, optim=replace(config.optim, epochs=1, **optim))


@pytest.fixture
def teacher(tiny_data: ReidDataset) -> Teacher:
    """Knows the people: one direction for each, and a little noise."""
    rng = np.random.default_rng(0)
    names = [sample.path.name for sample in tiny_data.train]
    people = np.eye(8, dtype=np.float32)[[s.pid % 8 for s in tiny_data.train]]
    features = people + 0.1 * rng.standard_normal(people.shape).astype(np.float32)
    return Teacher(Path("teacher.npz"), features, {name: i for i, name in enumerate(names)})


def test_a_student_comes_nearer_to_its_teacher_without_labels(
    tiny_config: Config, tiny_data: ReidDataset, teacher: Teacher, tmp_path: Path
) -> None:
    config = presets.distilled(tiny_config)
    config = derive(config, {"optim.epochs": 6, "optim.warmup_epochs": 0})
    records = train(config, tiny_data, tmp_path / "run", teacher=teacher)
    assert records[-1].losses["teacher"] < 0.6 * records[0].losses["teacher"]
    checkpoint = load_checkpoint(tmp_path / "run" / CHECKPOINT)
    assert checkpoint.part("distillation")["maps.0.weight"].shape[0] == 8
    assert checkpoint.facts["teacher"] == "teacher.npz"
    # Labels have no weight: the classifiers only decayed.
    for name, value in checkpoint.part("model").items():
        if name.endswith("classifier.weight"):
            assert value.std() < 0.0011


def test_labels_and_teacher_add_up(
    tiny_config: Config, tiny_data: ReidDataset, teacher: Teacher
) -> None:
    (record,) = train(one_epoch(tiny_config), tiny_data, None, teacher=teacher)
    losses, weights = record.losses, tiny_config.distill
    alone = losses["id"] + losses["triplet"]
    taught = weights.feature_weight * losses["teacher"]
    taught += weights.similarity_weight * losses["teacher_similarity"]
    assert losses["total"] > alone + taught
    assert losses["total"] == pytest.approx(alone + taught + losses["gla"], rel=0.3)


def test_a_taught_run_resumes_bit_for_bit_and_only_with_its_teacher(
    tiny_config: Config, tiny_data: ReidDataset, teacher: Teacher, tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(tiny_config, tiny_data, whole, teacher=teacher)
    next(fit(tiny_config, tiny_data, cut, device="cpu", progress=False, teacher=teacher))
    other = replace(teacher, features=teacher.features + 1)
    for wrong in (None, other):
        with pytest.raises(InputError, match=r"learned from teacher\.npz, now"):
            train(tiny_config, tiny_data, cut, resume=True, teacher=wrong)
    train(tiny_config, tiny_data, cut, resume=True, teacher=teacher)
    assert load_checkpoint(whole / CHECKPOINT).equals(load_checkpoint(cut / CHECKPOINT))


def test_training_starts_from_given_weights_as_far_as_they_fit(
    tiny_run: Path,
    tiny_config: Config,
    tiny_data: ReidDataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = open_run(tiny_run)
    # A rate of nothing and one epoch: the weights at the end are those at the start.
    still = one_epoch(tiny_config, lr=0.0)
    train(still, tiny_data, tmp_path / "same", init=run)
    begun, given = open_run(tmp_path / "same").model, run.model
    for (name, a), b in zip(begun.named_parameters(), given.parameters(), strict=True):
        assert torch.equal(a, b), name
    assert "tensors loaded" in capsys.readouterr().err
    facts = load_checkpoint(tmp_path / "same" / CHECKPOINT).facts
    assert facts["init"].startswith(f"tiny ({run.hash}): ")

    for branches in (1, 5):  # with other heads the trunk fits all the same
        other = replace(still, model=replace(still.model, branches=branches))
        train(other, tiny_data, tmp_path / str(branches), init=run)
        mine = open_run(tmp_path / str(branches)).model.trunk
        for (name, a), b in zip(mine.named_parameters(), run.model.trunk.parameters(), strict=True):
            assert torch.equal(a, b), name


def test_weights_of_another_trunk_start_nothing(
    tiny_run: Path, tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    wider = replace(tiny_config, model=replace(tiny_config.model, width=16))
    with pytest.raises(InputError, match=r"tiny: only .* of another trunk or variant"):
        train(wider, tiny_data, tmp_path / "run", init=open_run(tiny_run))
    assert not (tmp_path / "run" / CHECKPOINT).exists()


def test_bfloat16_on_the_cpu_computes_nearly_the_same(
    tiny_config: Config, tiny_data: ReidDataset
) -> None:
    (exact,) = train(one_epoch(tiny_config), tiny_data, None)
    (record,) = train(one_epoch(tiny_config, cpu_bfloat16=True), tiny_data, None)
    assert all(isfinite(value) for value in record.losses.values())
    assert record.losses["total"] != exact.losses["total"]
    assert record.losses["total"] == pytest.approx(exact.losses["total"], rel=0.05)
