from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mfa.config import DistillConfig
from mfa.losses.distillation import Distillation
from mfa.records import Branch, Output


def output(*embeddings: Tensor) -> Output:
    empty = torch.zeros(1)
    branches = {
        f"branch{i + 1}": Branch(map=empty, pooled=empty, embedding=embedding)
        for i, embedding in enumerate(embeddings)
    }
    return Output(empty, branches, F.normalize(torch.cat(embeddings, dim=1), dim=1))


def cosine(a: Tensor, b: Tensor) -> float:
    dot = sum(float(x) * float(y) for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(float(x) ** 2 for x in a) * sum(float(y) ** 2 for y in b))


def loop(maps: list[Tensor], biases: list[Tensor], xs: list[Tensor], t: Tensor) -> list[float]:
    """The two terms, picture by picture and pair by pair."""
    features, similarities = [], []
    for weight, bias, x in zip(maps, biases, xs, strict=True):
        n = len(x)
        y = [weight @ row + bias for row in x]
        features.append(sum(1 - cosine(y[i], t[i]) for i in range(n)) / n)
        squares = [
            (cosine(y[i], y[j]) - cosine(t[i], t[j])) ** 2 for i in range(n) for j in range(n)
        ]
        similarities.append(sum(squares) / n**2)
    return [sum(features) / len(xs), sum(similarities) / len(xs)]


@pytest.mark.parametrize("by_branch", [False, True])
def test_against_a_loop(by_branch: bool) -> None:
    torch.manual_seed(0)
    xs = [torch.randn(5, 3), torch.randn(5, 3)]
    targets = F.normalize(torch.randn(5, 4), dim=1)
    config = DistillConfig(feature_weight=0.5, similarity_weight=3.0, by_branch=by_branch)
    term = Distillation(config, {"branch1": 3, "branch2": 3}, 4)
    total, terms = term(output(*xs), targets)
    students = xs if by_branch else [torch.cat(xs, dim=1)]
    state = term.state_dict()
    maps = [state[f"maps.{i}.weight"] for i in range(len(students))]
    biases = [state[f"maps.{i}.bias"] for i in range(len(students))]
    feature, similarity = loop(maps, biases, students, targets)
    assert terms["teacher"].item() == pytest.approx(feature, abs=1e-6)
    assert terms["teacher_similarity"].item() == pytest.approx(similarity, abs=1e-6)
    assert total.item() == pytest.approx(0.5 * feature + 3 * similarity, abs=1e-6)


def test_gradients_reach_the_student_and_stay_finite_where_a_feature_is_zero() -> None:
    x = torch.zeros(3, 2, requires_grad=True)
    targets = F.normalize(torch.ones(3, 4), dim=1)
    total, _ = Distillation(DistillConfig(), {"global": 2}, 4)(output(x), targets)
    total.backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
