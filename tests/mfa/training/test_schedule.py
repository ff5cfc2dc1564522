from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from mfa.config import ModelConfig, OptimConfig
from mfa.errors import InputError
from mfa.models import build_model
from mfa.training.schedule import (
    freeze,
    half_precision,
    learning_rate,
    make_optimizer,
    set_rate,
)

STEP = OptimConfig(lr=2.0, epochs=120, warmup_epochs=10, schedule="step", milestones=(40, 70))
COSINE = OptimConfig(lr=2.0, epochs=20, warmup_epochs=2, schedule="cosine")


@pytest.mark.parametrize(
    ("epoch", "rate"),
    [
        (0, 0.02),  # 1 % of the peak
        (5, 1.01),  # half way from 0.02 to 2
        (9.999, 1.999802),
        (10, 2.0),
        (39.99, 2.0),
        (40, 0.2),
        (69.99, 0.2),
        (70, 0.02),
        (119.9, 0.02),
    ],
)
def test_step_schedule_by_hand(epoch: float, rate: float) -> None:
    assert learning_rate(STEP, epoch) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("epoch", "rate"),
    [
        (0, 0.02),
        (1, 1.01),
        (2, 2.0),
        (6.5, 1 + math.sqrt(0.5)),  # a quarter of the way: cos 45 degrees
        (11, 1.0),
        (20, 0.0),
        (25, 0.0),
    ],
)
def test_cosine_schedule_by_hand(epoch: float, rate: float) -> None:
    assert learning_rate(COSINE, epoch) == pytest.approx(rate, abs=1e-12)


def test_without_warm_up_the_first_step_has_the_peak_rate() -> None:
    for schedule in ("step", "cosine"):
        config = OptimConfig(lr=2.0, warmup_epochs=0, schedule=schedule)  # type: ignore[arg-type]
        assert learning_rate(config, 0) == 2.0


def test_warm_up_longer_than_a_cosine_training_never_divides_by_zero() -> None:
    config = OptimConfig(lr=2.0, epochs=2, warmup_epochs=2, schedule="cosine")
    assert learning_rate(config, 1.99) < 2.0
    assert learning_rate(config, 2.0) == 2.0


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_only_weights_of_convolutions_and_classifiers_decay(name: str, kind: type) -> None:
    network = build_model(ModelConfig(trunk="resnet10", width=8, gate="anchored", branches=2), 3)
    config = OptimConfig(optimizer=name, weight_decay=0.25)  # type: ignore[arg-type]
    optimizer = make_optimizer(network, config)
    assert type(optimizer) is kind
    decay = {
        id(parameter): group["weight_decay"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert len(decay) == sum(len(g["params"]) for g in optimizer.param_groups)
    assert decay.keys() == {id(p) for p in network.parameters()}
    weights = {
        id(module.weight)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }
    for label, parameter in network.named_parameters():
        assert decay[id(parameter)] == (0.25 if id(parameter) in weights else 0.0), label
    undecayed = {n.split(".")[-1] for n, p in network.named_parameters() if decay[id(p)] == 0}
    assert {"alpha", "beta", "p", "k", "bias"} <= undecayed


def test_setting_the_rate_reaches_every_group() -> None:
    optimizer = make_optimizer(nn.Linear(2, 2), OptimConfig())
    set_rate(optimizer, 0.125)
    assert [group["lr"] for group in optimizer.param_groups] == [0.125, 0.125]


def test_a_trunk_may_learn_more_slowly_but_its_cpaa_does_not() -> None:
    model = build_model(ModelConfig(trunk="resnet10", width=8, cpaa=(4,)), 3)
    optimizer = make_optimizer(model, OptimConfig(lr=1.0, trunk_rate=0.25))
    set_rate(optimizer, 2.0)
    rate = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    named = dict(model.named_parameters())
    assert rate[id(named["trunk.layer4.0.conv1.weight"])] == 0.5
    assert rate[id(named["trunk.layer4.0.bn1.bias"])] == 0.5
    assert rate[id(named["trunk.cpaa.layer4.alpha"])] == 2.0
    assert rate[id(named["heads.branch1.neck.weight"])] == 2.0


def test_frozen_parameters_do_not_learn() -> None:
    model = build_model(ModelConfig(trunk="resnet10", width=8, cpaa=()), 3)
    freeze(model, ("trunk.conv1", "trunk.layer1"))
    learned = [p for group in make_optimizer(model, STEP).param_groups for p in group["params"]]
    assert len(learned) == sum(p.requires_grad for p in model.parameters())
    assert not model.trunk.layer1[0].conv1.weight.requires_grad  # type: ignore[index,union-attr]
    with pytest.raises(InputError, match=r"begins with 'trunk\.layer9'"):
        freeze(model, ("trunk.layer9",))


def test_a_fused_optimiser_moves_the_weights_as_the_plain_one_does() -> None:
    moved = []
    for fused in (False, True):
        network = nn.Linear(3, 2)
        nn.init.constant_(network.weight, 0.5)
        nn.init.zeros_(network.bias)
        optimizer = make_optimizer(network, OptimConfig(lr=0.1), fused=fused)
        for _ in range(3):
            optimizer.zero_grad()
            network(torch.tensor([[1.0, 2.0, -3.0]])).square().sum().backward()
            optimizer.step()
        moved.append(network.weight.detach())
    assert not torch.equal(moved[0], torch.full((2, 3), 0.5))
    torch.testing.assert_close(*moved, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("kind", "changes", "half"),
    [
        ("cuda", {}, torch.float16),
        ("cuda", {"gpu_bfloat16": True}, torch.bfloat16),
        ("cuda", {"amp": False}, None),
        ("cuda", {"cpu_bfloat16": True}, torch.float16),
        ("cpu", {"gpu_bfloat16": True}, None),
        ("cpu", {"cpu_bfloat16": True}, torch.bfloat16),
    ],
)
def test_each_kind_of_device_has_its_own_switch(
    kind: str, changes: dict[str, bool], half: torch.dtype | None
) -> None:
    assert half_precision(OptimConfig(**changes), torch.device(kind)) is half  # type: ignore[arg-type]


def test_a_format_for_mixed_precision_that_is_off_is_refused() -> None:
    with pytest.raises(InputError, match=r"optim\.gpu_bfloat16.*optim\.amp"):
        OptimConfig(amp=False, gpu_bfloat16=True)
