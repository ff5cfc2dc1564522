from __future__ import annotations

import math

import pytest
import torch

from mfa.losses import identity_loss


def slow(logits: list[list[float]], labels: list[int], smoothing: float) -> float:
    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        normaliser = sum(math.exp(value) for value in row)
        for k, value in enumerate(row):
            target = smoothing / len(row) + (1 - smoothing if k == label else 0.0)
            total -= target * math.log(math.exp(value) / normaliser)
    return total / len(labels)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_equals_the_slow_loop(smoothing: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(7, 5, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 4, 2, 2, 1, 3, 0])
    expected = slow(logits.tolist(), labels.tolist(), smoothing)
    assert identity_loss(logits, labels, smoothing).item() == pytest.approx(expected, abs=1e-12)


def test_one_identity_gives_zero() -> None:
    logits = torch.tensor([[3.0], [-2.0]], requires_grad=True)
    loss = identity_loss(logits, torch.tensor([0, 0]), 0.1)
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad is not None
    assert logits.grad.abs().max() == 0
