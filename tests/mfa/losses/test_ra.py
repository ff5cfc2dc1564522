from __future__ import annotations

import itertools

import pytest
import torch

from mfa.losses.ra import MARGIN, ra_loss


def slow(features: list[list[float]], labels: list[int]) -> float:
    def distance(a: list[float], b: list[float]) -> float:
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        norms = sum(x * x for x in a) ** 0.5 * sum(y * y for y in b) ** 0.5
        return 1 - dot / norms

    alike, unlike = [], []
    for i, j in itertools.permutations(range(len(features)), 2):
        kind = alike if labels[i] == labels[j] else unlike
        kind.append(distance(features[i], features[j]))

    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    def spread(values: list[float]) -> float:
        return mean([(v - mean(values)) ** 2 for v in values])

    return max(0.0, MARGIN + mean(alike) - mean(unlike)) + spread(alike) + spread(unlike)


def test_equals_the_slow_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    found = ra_loss(features, labels).item()
    assert found == pytest.approx(slow(features.tolist(), labels.tolist()))


def test_zero_for_two_tight_people_far_apart_and_without_pairs() -> None:
    features = torch.tensor([[1.0, 0], [2.0, 0], [0, 1.0], [0, 3.0]], requires_grad=True)
    assert ra_loss(features, torch.tensor([0, 0, 1, 1])).item() == pytest.approx(0, abs=1e-6)
    none = ra_loss(features, torch.tensor([0, 1, 2, 3]))
    none.backward()
    assert none.item() == 0
