"""The state of a training: taken, put back, and refused where it is another's."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mfa.config import Config, OptimConfig
from mfa.training.schedule import make_optimizer
from mfa.training.state import optimizer_tensors, restore_optimizer


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_an_optimiser_goes_on_as_if_nothing_happened(kind: str, fused: bool) -> None:
    config = OptimConfig(optimizer=kind)  # type: ignore[arg-type]
    inputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))

    def steps(network: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            network(inputs).square().sum().backward()
            optimizer.step()

    def fresh() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))

    straight = fresh()
    steps(straight, make_optimizer(straight, config, fused=fused), 4)

    first = fresh()
    optimizer = make_optimizer(first, config, fused=fused)
    steps(first, optimizer, 2)
    tensors = {name: value.clone() for name, value in optimizer_tensors(optimizer).items()}
    assert all(name.split(".")[0].isdigit() for name in tensors)
    second = fresh()
    second.load_state_dict(first.state_dict())
    resumed = make_optimizer(second, config, fused=fused)
    restore_optimizer(resumed, tensors)
    steps(second, resumed, 2)
    for a, b in zip(straight.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_an_optimiser_before_its_first_step_has_nothing_to_keep() -> None:
    network = nn.Linear(2, 2)
    optimizer = make_optimizer(network, Config().optim)
    assert optimizer_tensors(optimizer) == {}
    restore_optimizer(optimizer, {})
    assert optimizer.state_dict()["state"] == {}
