from __future__ import annotations

import math

import pytest
import torch

from mfa.losses import CenterLoss


def slow_update(
    centers: list[list[float]], pooled: list[list[float]], labels: list[int], rate: float
) -> list[list[float]]:
    moved = []
    for j, center in enumerate(centers):
        mine = [x for x, label in zip(pooled, labels, strict=True) if label == j]
        delta = [sum(c - x[k] for x in mine) / (1 + len(mine)) for k, c in enumerate(center)]
        moved.append([c - rate * d for c, d in zip(center, delta, strict=True)])
    return moved


def test_updates_and_loss_equal_the_slow_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    center = CenterLoss(4, {"a": 3}, rate=0.3).double()
    expected = [[0.0] * 3 for _ in range(4)]
    for _ in range(5):
        pooled = torch.randn(6, 3, generator=generator, dtype=torch.float64)
        labels = torch.randint(0, 4, (6,), generator=generator)
        expected = slow_update(expected, pooled.tolist(), labels.tolist(), 0.3)
        center.update("a", pooled, labels)
    torch.testing.assert_close(center.centers("a"), torch.tensor(expected, dtype=torch.float64))
    own = [expected[label] for label in labels.tolist()]
    squares = [math.dist(x, c) ** 2 for x, c in zip(pooled.tolist(), own, strict=True)]
    assert center("a", pooled, labels).item() == pytest.approx(sum(squares) / 6, abs=1e-12)


def test_other_identities_in_the_batch_do_not_change_the_move() -> None:
    alone, crowded = CenterLoss(9, {"a": 2}), CenterLoss(9, {"a": 2})
    mine = torch.tensor([[2.0, 4.0], [4.0, 0.0]])
    alone.update("a", mine, torch.tensor([0, 0]))
    crowded.update("a", torch.cat([mine, torch.ones(8, 2)]), torch.tensor([0, 0, *range(1, 9)]))
    assert torch.equal(alone.centers("a")[0], crowded.centers("a")[0])


def test_a_batch_shown_twice_over_moves_further_but_never_past_the_rate() -> None:
    pooled, labels = torch.tensor([[1.0]]), torch.tensor([0])
    moved = []
    for copies in (1, 2, 1000):
        center = CenterLoss(1, {"a": 1}, rate=0.5)
        center.update("a", pooled.repeat(copies, 1), labels.repeat(copies))
        moved.append(center.centers("a").item())
    assert moved[0] == pytest.approx(0.5 * 1 / 2)
    assert moved[1] == pytest.approx(0.5 * 2 / 3)
    assert 0.49 < moved[2] < 0.5


def test_centers_are_saved_and_are_no_parameters() -> None:
    center = CenterLoss(5, {"branch1": 3, "part.2": 4})
    assert list(center.parameters()) == []
    assert {tuple(value.shape) for value in center.state_dict().values()} == {(5, 3), (5, 4)}
    assert center.centers("part.2").shape == (5, 4)


def test_moving_the_centers_before_backward_does_not_disturb_the_gradient() -> None:
    center = CenterLoss(2, {"a": 2})
    pooled = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    labels = torch.tensor([0, 1])
    loss = center("a", pooled, labels)
    center.update("a", pooled, labels)
    loss.backward()
    assert pooled.grad is not None
    torch.testing.assert_close(pooled.grad, pooled.detach())


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_batch_that_overflowed_moves_no_center(value: float) -> None:
    loss = CenterLoss(3, {"a": 2})
    labels = torch.tensor([0, 1])
    loss.update("a", torch.ones(2, 2), labels)
    before = loss.centers("a").clone()
    loss.update("a", torch.tensor([[value, 1.0], [2.0, 2.0]]), labels)
    assert torch.equal(loss.centers("a"), before)
    loss.update("a", torch.full((2, 2), 2.0), labels)
    assert not torch.equal(loss.centers("a"), before)
