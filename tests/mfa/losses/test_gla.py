from __future__ import annotations

import math
from typing import Literal

import pytest
import torch

from mfa.losses import gla

KINDS: tuple[Literal["mse", "cosine"], ...] = ("mse", "cosine")


def slow_mse(pooled: list[list[float]], guide: list[list[float]]) -> float:
    squares = [math.dist(row, other) ** 2 for row, other in zip(pooled, guide, strict=True)]
    return sum(squares) / sum(map(len, pooled))


def slow_cosine(pooled: list[list[float]], guide: list[list[float]]) -> float:
    total = 0.0
    for row, other in zip(pooled, guide, strict=True):
        product = sum(a * b for a, b in zip(row, other, strict=True))
        total += 1 - product / (math.hypot(*row) * math.hypot(*other))
    return total / len(pooled)


def pair(batch: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    made = torch.randn(2, batch, 4, generator=generator, dtype=torch.float64)
    return made[0].requires_grad_(), made[1].requires_grad_()


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_equals_the_slow_loops(batch: int) -> None:
    pooled, guide = pair(batch)
    rows = pooled.tolist(), guide.tolist()
    assert gla(pooled, guide, "mse").item() == pytest.approx(slow_mse(*rows), abs=1e-12)
    assert gla(pooled, guide, "cosine").item() == pytest.approx(slow_cosine(*rows), abs=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_only_an_attached_guide_gets_a_gradient(kind: Literal["mse", "cosine"]) -> None:
    for detach in (True, False):
        pooled, guide = pair()
        gla(pooled, guide, kind, detach).backward()
        assert pooled.grad is not None
        assert pooled.grad.abs().sum() > 0
        assert (guide.grad is None) == detach


def test_shrinking_meets_mse_and_not_cosine() -> None:
    pooled, guide = pair()
    assert gla(0.1 * pooled, 0.1 * guide, "mse") < 0.02 * gla(pooled, guide, "mse")
    torch.testing.assert_close(
        gla(0.1 * pooled, 0.1 * guide, "cosine"), gla(pooled, guide, "cosine")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_zero_vectors_leave_the_gradient_finite(kind: Literal["mse", "cosine"]) -> None:
    pooled = torch.zeros(2, 3, requires_grad=True)
    gla(pooled, torch.zeros(2, 3), kind).backward()
    assert pooled.grad is not None
    assert torch.isfinite(pooled.grad).all()
