"""Competing gates share every pixel out between the branches."""

from __future__ import annotations

import copy

import torch

from mfa.config import ModelConfig
from mfa.models import build_model
from mfa.models.heads import CompetingGate, LocalBranch

CONFIG = ModelConfig(trunk="resnet10", width=8, stride=8, cpaa=(), gate="competing")


def gates(model: torch.nn.Module) -> list[CompetingGate]:
    found = [head.gate for head in model.heads.values() if isinstance(head, LocalBranch)]
    return [gate for gate in found if isinstance(gate, CompetingGate)]


def test_the_gates_of_a_pixel_add_up_to_half_their_number() -> None:
    own = gates(build_model(CONFIG))
    trunk = torch.rand(2, 64, 12, 6)
    ones = torch.ones(2, 1, 12, 6)
    total = torch.stack([gate(trunk, ones) for gate in own]).sum(dim=0)
    assert torch.allclose(total, torch.full_like(total, 2.0), atol=1e-5)


def test_each_gate_starts_over_its_own_stripe() -> None:
    own = gates(build_model(CONFIG))
    shares = own[0].shares(torch.rand(1, 64, 12, 6)).mean(dim=(0, 3))
    assert shares.argmax(dim=0).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_the_height_of_the_bump_is_not_learned() -> None:
    gate = CompetingGate(8, 0.3)
    assert gate.k.item() == 1
    assert not gate.k.requires_grad
    assert gate.logit.weight.requires_grad


def test_shares_are_the_softmax_of_the_logits_whatever_the_length_of_the_features() -> None:
    torch.manual_seed(0)
    gate, other, trunk = CompetingGate(8, 0.3), CompetingGate(8, 0.8), torch.rand(2, 8, 6, 3)
    torch.nn.init.normal_(gate.logit.weight)
    gate.compete_with([gate, other])
    wanted = torch.cat([gate.logits(trunk), other.logits(trunk)], dim=1).softmax(dim=1)
    assert torch.allclose(gate.shares(trunk), wanted, atol=1e-6)
    assert torch.allclose(gate.shares(20 * trunk), wanted, atol=1e-3)  # lengths do not matter


def test_content_can_move_a_branch() -> None:
    gate, other = CompetingGate(4, 0.2), CompetingGate(4, 0.8)
    gate.compete_with([gate, other])
    gate.logit.weight.data[0, 0] = 5
    trunk = torch.zeros(1, 4, 10, 1)
    trunk[:, 1] = 1
    assert gate.shares(trunk)[0, 0, 8] < 0.3
    trunk[0, :, 8] = torch.tensor([1.0, 0, 0, 0]).view(4, 1)
    assert gate.shares(trunk)[0, 0, 8] > 0.9


def test_a_copy_competes_with_its_own_gates_and_nothing_is_saved_twice() -> None:
    model = build_model(CONFIG)
    twin = gates(copy.deepcopy(model))
    assert all(rival is gate for rival, gate in zip(twin[0]._rivals, twin, strict=True))
    saved = [name for name in model.state_dict() if "gate.logit.weight" in name]
    assert len(saved) == 4
