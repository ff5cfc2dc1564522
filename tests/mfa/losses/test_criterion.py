from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mfa.config import LossConfig
from mfa.errors import InputError
from mfa.losses import Criterion, gla, identity_loss, soft_triplet
from mfa.records import Branch, Output

LABELS = torch.tensor([0, 0, 1, 1])
WIDTHS = {"branch1": 3, "branch2": 3}


def output(
    batch: int = 4, *, logits: bool = True, guide: bool = True, equal: bool = False
) -> Output:
    """Two branches with leaves for pooled, logits and guide."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        made = torch.ones(shape) if equal else torch.randn(shape, generator=generator)
        return made.requires_grad_()

    branches = {
        name: Branch(
            map=draw(batch, 3, 2, 2),
            pooled=draw(batch, 3),
            embedding=draw(batch, 3),
            logits=draw(batch, 5) if logits else None,
            guide=draw(batch, 3) if guide else None,
        )
        for name in WIDTHS
    }
    descriptor = torch.cat([branch.embedding for branch in branches.values()], dim=1)
    return Output(draw(batch, 3, 4, 2), branches, functional.normalize(descriptor, dim=1))


def test_total_is_the_sum_of_its_weighted_parts() -> None:
    config = LossConfig(
        id_weight=0.7, triplet_weight=1.3, center_weight=0.01, gla_weight=3.0, warmup=0.5
    )
    made = output()
    total, record = Criterion(config, 5, WIDTHS)(made, LABELS, progress=0.1)
    expected = 0.0
    for branch in made.branches.values():
        assert branch.logits is not None
        assert branch.guide is not None
        center = branch.pooled.square().sum(dim=1).mean()  # centers start at zero
        expected += 0.7 / 2 * identity_loss(branch.logits, LABELS, 0.1).item()
        expected += 1.3 / 2 * soft_triplet(branch.pooled, LABELS).item()
        expected += 0.01 / 2 * 0.2 * center.item()
        expected += 3.0 * 0.2 * gla(branch.pooled, branch.guide).item()
    assert total.item() == pytest.approx(expected, rel=1e-6)
    assert record["total"].item() == total.item()


def test_record_holds_unweighted_detached_terms() -> None:
    config = LossConfig(id_weight=5, triplet_weight=7, gla_weight=11, warmup=1.0)
    total, record = Criterion(config, 5, WIDTHS)(output(), LABELS, progress=0.0)
    assert set(record) == {"total", "id", "triplet", "center", "gla"} | {
        f"{name}/{term}" for name in WIDTHS for term in ("id", "triplet", "center", "gla")
    }
    assert total.requires_grad
    assert not any(value.requires_grad for value in record.values())
    for term in ("id", "triplet", "center"):
        parts = [record[f"{name}/{term}"] for name in WIDTHS]
        torch.testing.assert_close(record[term], sum(parts, torch.zeros(())) / 2)
    parts = [record[f"{name}/gla"] for name in WIDTHS]
    torch.testing.assert_close(record["gla"], sum(parts, torch.zeros(())))
    assert record["gla"] > 0


@pytest.mark.parametrize(
    ("warmup", "progress", "factor"),
    [(0.0, 0.0, 1.0), (0.25, 0.0, 0.0), (0.25, 0.1, 0.4), (0.25, 0.25, 1.0), (1.0, 0.5, 0.5)],
)
def test_ramp(warmup: float, progress: float, factor: float) -> None:
    criterion = Criterion(LossConfig(warmup=warmup), 5, WIDTHS)
    assert criterion.ramp(progress) == pytest.approx(factor)


def test_gla_off_and_no_guide_contribute_nothing() -> None:
    off, record_off = Criterion(LossConfig(gla="off"), 5, WIDTHS)(output(), LABELS)
    without, record = Criterion(LossConfig(), 5, WIDTHS)(output(guide=False), LABELS)
    assert record_off["gla"] == record["gla"] == 0
    assert not any(name.endswith("/gla") for name in record | record_off)
    assert off.requires_grad
    assert without.requires_grad


def test_missing_logits_are_told() -> None:
    made = output(logits=False)
    with pytest.raises(InputError, match=r"branch1 has no logits.*loss\.id_weight"):
        Criterion(LossConfig(), 5, WIDTHS)(made, LABELS)
    total, record = Criterion(LossConfig(id_weight=0), 5, WIDTHS)(made, LABELS)
    assert total.isfinite()
    assert record["id"] == 0


@pytest.mark.parametrize("gla_kind", ["mse", "cosine"])
@pytest.mark.parametrize(
    ("labels", "equal"),
    [
        ([0, 0, 0, 0], False),  # one identity
        ([0, 1, 2, 3], False),  # one picture each
        ([0, 0, 1, 1], True),  # all features equal
        ([3], False),
    ],
)
def test_degenerate_batches_have_finite_gradients(
    gla_kind: Literal["mse", "cosine"], labels: list[int], equal: bool
) -> None:
    made = output(len(labels), equal=equal)
    config = LossConfig(gla=gla_kind)
    criterion = Criterion(config, 5, WIDTHS)
    total, record = criterion(made, torch.tensor(labels))
    total.backward()
    criterion.update(made, torch.tensor(labels))
    assert all(value.isfinite() for value in record.values())
    for branch in made.branches.values():
        assert branch.logits is not None
        for leaf in (branch.pooled, branch.logits):
            assert leaf.grad is not None
            assert leaf.grad.isfinite().all()
    assert all(value.isfinite().all() for value in criterion.state_dict().values())


def test_half_precision_outputs_give_float32_terms_under_autocast() -> None:
    made = output()
    halves = {
        name: Branch(
            map=branch.map,
            pooled=(1000 * branch.pooled).half(),  # squares of it overflow float16
            embedding=branch.embedding,
            logits=None if branch.logits is None else branch.logits.half(),
            guide=None if branch.guide is None else branch.guide.half(),
        )
        for name, branch in made.branches.items()
    }
    criterion = Criterion(LossConfig(), 5, WIDTHS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total, record = criterion(Output(made.trunk, halves, made.descriptor), LABELS)
    criterion.update(Output(made.trunk, halves, made.descriptor), LABELS)
    assert total.dtype == torch.float32
    assert all(value.dtype == torch.float32 and value.isfinite() for value in record.values())
    assert all(value.dtype == torch.float32 for value in criterion.state_dict().values())


def test_update_moves_the_centers_of_every_branch_towards_its_pictures() -> None:
    made = output()
    criterion = Criterion(LossConfig(center_rate=1.0), 5, WIDTHS)
    before = criterion(made, LABELS)[1]
    criterion.update(made, LABELS)
    after = criterion(made, LABELS)[1]
    for name, branch in made.branches.items():
        assert after[f"{name}/center"] < before[f"{name}/center"]
        # Two pictures of each: 2 / (1 + 2) of the way from zero.
        expected = branch.pooled[:2].mean(dim=0) * 2 / 3
        torch.testing.assert_close(criterion.center.centers(name)[0], expected.detach())
