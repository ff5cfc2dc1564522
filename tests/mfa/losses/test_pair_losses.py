"""Losses over pairs against loops over explicit pairs, and on batches that hold no pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import get_args, get_type_hints

import pytest
import torch
from torch import Tensor

from mfa.config import LossConfig
from mfa.losses import circle, multi_similarity, quadruplet, soft_triplet, weighted_triplet
from mfa.losses.criterion import PAIR_LOSSES, Criterion
from mfa.records import Branch, Output

Rows = list[list[float]]
BATCHES = [
    [0, 0, 1, 1, 2, 2],
    [0, 1, 2, 0, 1, 2],
    [0, 0, 0, 1, 2, 3],
    [5, 5, 9, 9, 9, 9],
    [0, 0, 0, 0, 0, 7],
]


def anchors(labels: list[int]) -> Iterator[tuple[int, list[int], list[int]]]:
    for a, label in enumerate(labels):
        positives = [i for i, other in enumerate(labels) if other == label and i != a]
        negatives = [i for i, other in enumerate(labels) if other != label]
        if positives and negatives:
            yield a, positives, negatives


def unit(row: list[float]) -> list[float]:
    length = math.hypot(*row)
    return [value / length for value in row]


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(unit(a), unit(b), strict=True))


def mean(terms: list[float]) -> float:
    return sum(terms) / len(terms)


def slow_triplet(rows: Rows, labels: list[int]) -> float:
    terms = []
    for a, positives, negatives in anchors(labels):
        far = max(math.dist(rows[a], rows[i]) for i in positives)
        near = min(math.dist(rows[a], rows[i]) for i in negatives)
        terms.append(math.log1p(math.exp(far - near)))
    return mean(terms)


def slow_weighted(rows: Rows, labels: list[int]) -> float:
    terms = []
    for a, positives, negatives in anchors(labels):
        far = [math.dist(rows[a], rows[i]) for i in positives]
        near = [math.dist(rows[a], rows[i]) for i in negatives]
        pulled = sum(d * math.exp(d) for d in far) / sum(math.exp(d) for d in far)
        pushed = sum(d * math.exp(-d) for d in near) / sum(math.exp(-d) for d in near)
        terms.append(math.log(1 + math.exp(pulled - pushed)))
    return mean(terms)


def slow_circle(rows: Rows, labels: list[int], m: float = 0.25, gamma: float = 128) -> float:
    terms = []
    for a, positives, negatives in anchors(labels):
        pull = push = 0.0
        for i in positives:
            s = dot(rows[a], rows[i])
            pull += math.exp(-gamma * max(0, 1 + m - s) * (s - 1 + m))
        for i in negatives:
            s = dot(rows[a], rows[i])
            push += math.exp(gamma * max(0, s + m) * (s - m))
        terms.append(math.log(1 + pull * push))
    return mean(terms)


def slow_multi_similarity(rows: Rows, labels: list[int]) -> float:
    total = 0.0
    for a, positives, negatives in anchors(labels):
        same = [dot(rows[a], rows[i]) for i in positives]
        other = [dot(rows[a], rows[i]) for i in negatives]
        hard_same = [s for s in same if s < max(other) + 0.1]
        hard_other = [s for s in other if s > min(same) - 0.1]
        total += math.log(1 + sum(math.exp(-2 * (s - 1)) for s in hard_same)) / 2
        total += math.log(1 + sum(math.exp(50 * (s - 1)) for s in hard_other)) / 50
    return total / len(labels)


def slow_quadruplet(rows: Rows, labels: list[int]) -> float:
    def square(i: int, j: int) -> float:
        return math.dist(unit(rows[i]), unit(rows[j])) ** 2

    terms = []
    for a, positives, negatives in anchors(labels):
        own = max(square(a, i) for i in positives)
        term = max(0, own - min(square(a, i) for i in negatives) + 0.3)
        others = [square(i, j) for i, j in combinations(negatives, 2) if labels[i] != labels[j]]
        if others:
            term += max(0, own - min(others) + 0.15)
        terms.append(term)
    return mean(terms)


Loss = Callable[[Tensor, Tensor], Tensor]
ORACLES: list[tuple[Loss, Callable[[Rows, list[int]], float]]] = [
    (soft_triplet, slow_triplet),
    (weighted_triplet, slow_weighted),
    (circle, slow_circle),
    (multi_similarity, slow_multi_similarity),
    (quadruplet, slow_quadruplet),
]
LOSSES = [loss for loss, _ in ORACLES]


def draw(size: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, 3, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("labels", BATCHES)
@pytest.mark.parametrize(("loss", "oracle"), ORACLES)
def test_equals_the_slow_loop(
    loss: Loss, oracle: Callable[[Rows, list[int]], float], labels: list[int]
) -> None:
    for seed in range(2):
        features = draw(6, seed)
        expected = oracle(features.tolist(), labels)
        assert loss(features, torch.tensor(labels)).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("labels", BATCHES)
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss is not circle])
def test_gradient_is_that_of_differences(loss: Loss, labels: list[int]) -> None:
    features = draw(6, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, torch.tensor(labels)), (features,))


def test_circle_weights_are_constants_for_the_gradient() -> None:
    # Two dimensions, by hand: d loss / d s = sigmoid(inside) * weight * gamma, not its double.
    gamma, m, angle = 2.0, 0.25, torch.tensor(1.0, requires_grad=True, dtype=torch.float64)
    fixed = torch.tensor([[1.0, 0], [0.6, 0.8]], dtype=torch.float64)
    features = torch.stack([fixed[0], fixed[1], torch.stack([angle.cos(), -angle.sin()])])
    circle(features, torch.tensor([0, 0, 1]), m, gamma).backward()
    derivative = 0.0
    for a, b in ((0, 1), (1, 0)):
        s_p = float(fixed[a] @ fixed[b])
        direction = torch.tensor([math.cos(1), -math.sin(1)], dtype=torch.float64)
        turned = torch.tensor([-math.sin(1), -math.cos(1)], dtype=torch.float64)
        s_n = float(fixed[a] @ direction)
        push, pull = max(0, s_n + m), 1 + m - s_p
        inside = gamma * push * (s_n - m) - gamma * pull * (s_p - 1 + m)
        derivative += gamma * push / (1 + math.exp(-inside)) * float(fixed[a] @ turned) / 2
    assert angle.grad is not None
    assert angle.grad.item() == pytest.approx(derivative, rel=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 2, 3], [0, 0], [0, 1], [0]])
def test_no_pairs_to_compare_give_a_zero_with_a_graph(loss: Loss, labels: list[int]) -> None:
    features = draw(len(labels)).requires_grad_()
    value = loss(features, torch.tensor(labels))
    value.backward()
    assert value.item() == 0
    assert features.grad is not None
    assert torch.equal(features.grad, torch.zeros_like(features))


@pytest.mark.parametrize("loss", LOSSES)
def test_equal_features_leave_loss_and_gradient_finite(loss: Loss) -> None:
    features = torch.full((6, 3), 2.5, requires_grad=True)
    value = loss(features, torch.tensor([0, 0, 1, 1, 2, 2]))
    value.backward()
    assert value.item() > 0
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_the_configured_loss_is_the_recorded_one() -> None:
    assert set(PAIR_LOSSES) == set(get_args(get_type_hints(LossConfig)["triplet"]))
    features, labels = draw(6).float(), torch.tensor(BATCHES[0])
    branch = Branch(features.view(6, 3, 1, 1), features, features, torch.zeros(6, 3))
    output = Output(branch.map, {"global": branch}, features)
    _, record = Criterion(LossConfig(triplet="weighted"), 3, {"global": 3})(output, labels)
    expected = slow_weighted(features.tolist(), BATCHES[0])
    assert record["triplet"].item() == pytest.approx(expected, rel=1e-5)


def test_two_equal_pictures_of_one_person_leave_the_gradient_finite() -> None:
    features = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 2]], requires_grad=True)
    soft_triplet(features, torch.tensor([0, 0, 1, 1])).backward()
    assert features.grad is not None
    assert torch.isfinite(features.grad).all()
    assert features.grad.abs().sum() > 0


def test_small_distances_between_long_vectors_survive() -> None:
    # The product form of the distance gives 0, 0.06 and 0.09 here, in float32.
    features = torch.full((4, 512), 10.0)
    features[1, 0] += 0.01
    features[2, 0] += 0.03
    features[3, 0] += 0.07
    loss = soft_triplet(features, torch.tensor([0, 0, 1, 1]))
    assert loss.item() == pytest.approx(
        slow_triplet(features.double().tolist(), [0, 0, 1, 1]), abs=1e-6
    )


def test_far_features_do_not_overflow() -> None:
    features = torch.tensor([[0.0], [1e4], [1.0], [1.1e4]], requires_grad=True)
    loss = soft_triplet(features, torch.tensor([0, 0, 1, 1]))
    loss.backward()
    assert loss.item() == pytest.approx((9999 + 9000 + 10998 + 9999) / 4)
    assert features.grad is not None
    assert torch.isfinite(features.grad).all()
