from __future__ import annotations

import math

import pytest
import torch

from mfa.losses import soft_triplet


def slow(features: list[list[float]], labels: list[int]) -> float:
    terms = []
    for a, anchor in enumerate(features):
        distances = [math.dist(anchor, other) for other in features]
        pairs = list(zip(range(len(labels)), labels, distances, strict=True))
        positives = [d for i, label, d in pairs if label == labels[a] and i != a]
        negatives = [d for _, label, d in pairs if label != labels[a]]
        if positives and negatives:
            terms.append(math.log1p(math.exp(max(positives) - min(negatives))))
    return sum(terms) / len(terms) if terms else 0.0


@pytest.mark.parametrize(
    "labels",
    [
        [0, 0, 1, 1, 2, 2],
        [0, 1, 2, 0, 1, 2],
        [0, 0, 0, 1, 2, 3],  # anchors without a positive do not count
        [5, 5, 9, 9, 9, 9],
    ],
)
def test_equals_the_slow_loop(labels: list[int]) -> None:
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    loss = soft_triplet(features, torch.tensor(labels))
    assert loss.item() == pytest.approx(slow(features.tolist(), labels), abs=1e-12)


def test_by_hand() -> None:
    features = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    # anchors: 1 - 3, 1 - 2, 4 - 2, 4 - 6
    expected = sum(math.log1p(math.exp(x)) for x in (-2, -1, 2, -2)) / 4
    loss = soft_triplet(features, torch.tensor([0, 0, 1, 1]))
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_gradient_is_that_of_differences() -> None:
    generator = torch.Generator().manual_seed(2)
    features = torch.randn(6, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    assert torch.autograd.gradcheck(lambda x: soft_triplet(x, labels), (features,))


@pytest.mark.parametrize(
    ("labels", "size"), [([0, 0, 0, 0], 4), ([0, 1, 2, 3], 4), ([0, 0], 2), ([0, 1], 2), ([0], 1)]
)
def test_no_triplet_gives_a_zero_with_a_graph(labels: list[int], size: int) -> None:
    features = torch.randn(size, 3, requires_grad=True)
    loss = soft_triplet(features, torch.tensor(labels))
    loss.backward()
    assert loss.item() == 0.0
    assert features.grad is not None
    assert torch.equal(features.grad, torch.zeros_like(features))


def test_equal_features_give_ln_2_and_a_finite_gradient() -> None:
    features = torch.full((4, 3), 2.5, requires_grad=True)
    loss = soft_triplet(features, torch.tensor([0, 0, 1, 1]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2), abs=1e-6)
    assert features.grad is not None
    assert torch.isfinite(features.grad).all()


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
    assert loss.item() == pytest.approx(slow(features.double().tolist(), [0, 0, 1, 1]), abs=1e-6)


def test_far_features_do_not_overflow() -> None:
    features = torch.tensor([[0.0], [1e4], [1.0], [1.1e4]], requires_grad=True)
    loss = soft_triplet(features, torch.tensor([0, 0, 1, 1]))
    loss.backward()
    assert loss.item() == pytest.approx((9999 + 9000 + 10998 + 9999) / 4)
    assert features.grad is not None
    assert torch.isfinite(features.grad).all()
