"""The network keeps the paper's sizes, its records and its switches."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from benchmarks.compared import peak_bytes
from mfa.config import ModelConfig
from mfa.models import build_model
from mfa.models.complexity import count_parameters
from mfa.models.cpaa import CPAA
from mfa.models.heads import Gate
from mfa.models.pooling import GAP, GeM

TINY = ModelConfig(trunk="resnet10", width=8, stride=8)


def test_parts_of_the_paper_preset() -> None:
    model = build_model(ModelConfig())
    cpaa = {name: count_parameters(module) for name, module in model.trunk.cpaa.items()}
    assert cpaa == {"layer2": 98_946, "layer3": 394_498, "layer4": 1_575_426}
    assert count_parameters(model.trunk) - sum(cpaa.values()) == 23_508_032
    assert [count_parameters(head) for head in model.heads.values()] == [680_449] * 4


@pytest.mark.parametrize(
    "config",
    [TINY, replace(TINY, gate="guided"), replace(TINY, branch="reduce", reduced_dim=16)],
    ids=["plain", "guided", "reduce"],
)
def test_a_step_updates_every_batch_norm_once(config: ModelConfig) -> None:
    model = build_model(config, identities=5).train()
    model(torch.rand(4, 3, 64, 32))
    steps = {n: int(b) for n, b in model.named_buffers() if n.endswith("num_batches_tracked")}
    assert steps
    assert {name for name, count in steps.items() if count != 1} == set()


def test_records_are_the_same_in_train_and_eval() -> None:
    model = build_model(TINY, identities=5)
    images = torch.rand(4, 3, 64, 32)
    before = images.clone()
    for mode in (True, False):
        output = model.train(mode)(images)
        assert torch.equal(images, before)
        assert list(output.branches) == ["branch1", "branch2", "branch3", "branch4"]
        whole = torch.cat([b.embedding for b in output.branches.values()], dim=1)
        torch.testing.assert_close(output.descriptor, whole / whole.norm(dim=1, keepdim=True))
        for branch in output.branches.values():
            assert branch.map.shape == output.trunk.shape == (4, 64, 8, 4)
            assert branch.guide is not None
            assert branch.guide.shape == branch.pooled.shape == branch.embedding.shape == (4, 64)
            assert branch.logits is not None
            assert branch.logits.shape == (4, 5)


@pytest.mark.parametrize(
    "change",
    [
        {"branches": 0, "cpaa": ()},
        {"branches": 3},
        {"cpaa": (1, 4)},
        {"cpaa_affinity": "plain"},
        {"gate": "guided"},
        {"gate": "anchored", "guide_pooling": "gem"},
        {"pooling": "gap"},
        {"branch": "reduce", "reduced_dim": 16},
        {"trunk": "resnet18", "stride": 16},
    ],
)
def test_every_parameter_of_every_switch_gets_a_gradient(change: dict[str, object]) -> None:
    torch.manual_seed(0)
    model = build_model(replace(TINY, **change), identities=3)
    for name, parameter in model.named_parameters():  # scalars that start at 0 block their parts
        if name.endswith(("alpha", "beta")) or (name.endswith("weight") and "bottleneck.7" in name):
            torch.nn.init.ones_(parameter)
    output = model(torch.rand(4, 3, 96, 48))
    loss = sum(b.logits.square().sum() + b.pooled.sum() for b in output.branches.values())
    loss.backward()
    silent = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_new_attention_gate_and_bottleneck_change_nothing() -> None:
    torch.manual_seed(0)
    model = build_model(replace(TINY, gate="guided")).eval()
    output = model(torch.rand(2, 3, 64, 32))
    for branch in output.branches.values():
        torch.testing.assert_close(branch.map, output.trunk)
    x = torch.randn(2, 16, 4, 3)
    torch.testing.assert_close(CPAA(16)(x), x)


def test_cpaa_against_loops() -> None:
    torch.manual_seed(1)
    module = CPAA(8)
    torch.nn.init.constant_(module.alpha, 0.7)
    torch.nn.init.constant_(module.beta, -0.3)
    x = torch.randn(1, 8, 2, 3)
    flat = x[0].reshape(8, 6)
    b = torch.empty(8, 6)
    for c in range(8):
        scores = torch.stack([(flat[c] * flat[d]).sum() / 6 for d in range(8)])
        weights = torch.softmax(scores.max() - scores, 0)
        b[c] = 0.7 * sum(weights[d] * flat[d] for d in range(8)) + flat[c]
    grid = b.view(1, 8, 2, 3)
    q, k, v = (f(grid)[0].flatten(1) for f in (module.query, module.key, module.value))
    expected = torch.empty(8, 6)
    for n in range(6):
        weights = torch.softmax(torch.stack([q[:, n] @ k[:, m] for m in range(6)]), 0)
        expected[:, n] = -0.3 * sum(weights[m] * v[:, m] for m in range(6)) + b[:, n]
    torch.testing.assert_close(module(x)[0].flatten(1), expected)


@pytest.mark.parametrize("affinity", ["inverted", "plain"])
@pytest.mark.parametrize("length", [1, 100])
def test_cpaa_without_gradients_equals_its_form_in_training(
    affinity: Literal["inverted", "plain"], length: float
) -> None:
    torch.manual_seed(0)
    module, x = CPAA(16, affinity=affinity), length * torch.rand(2, 16, 6, 3)
    for scalar in (module.alpha, module.beta):
        torch.nn.init.constant_(scalar, 0.5)
    wanted = module(x.clone().requires_grad_()).detach()
    with torch.inference_mode():
        torch.testing.assert_close(module(x), wanted, atol=1e-4 * length, rtol=1e-4)


def test_cpaa_without_gradients_never_holds_the_weights_of_all_channels() -> None:
    module, x = CPAA(512), torch.rand(1, 512, 4, 2)
    assert peak_bytes(module, x) < 4 * 512**2


def test_gem_by_hand() -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert GeM(p=3.0)(x).item() == pytest.approx(((1 + 8 + 27 + 64) / 4) ** (1 / 3))
    assert GeM(p=1.0)(x).item() == pytest.approx(2.5)
    assert GAP()(x).item() == 2.5


@pytest.mark.parametrize("pooling", ["gap", "gem"])
def test_guides_are_the_pooled_stripes(pooling: str) -> None:
    config = replace(TINY, guide_pooling=pooling)
    model = build_model(config).eval()
    output = model(torch.rand(2, 3, 96, 48))
    assert output.trunk.shape[2] == 12
    for i, (name, branch) in enumerate(output.branches.items()):
        stripe = output.trunk[:, :, 3 * i : 3 * i + 3]
        pool = GAP() if pooling == "gap" else model.heads[name].pool
        torch.testing.assert_close(branch.guide, pool(stripe))


def test_anchored_gate_starts_over_its_stripe() -> None:
    model = build_model(replace(TINY, gate="anchored"))
    for i, head in enumerate(model.heads.values()):
        assert isinstance(head.gate, Gate)
        rows = head.gate.logits(torch.rand(1, 64, 12, 6))[0, 0].mean(dim=1)
        top = int(rows.argmax())
        assert top // 3 == i
        bump = math.exp(-((top / 11 - (i + 0.5) / 4) ** 2) / (2 * 0.15**2)) - 0.4
        assert rows.max().item() == pytest.approx(2 * 2 * bump, abs=1e-4)


@pytest.mark.parametrize("layer", ["layer1", "layer3", "layer4"])
def test_deeper_maps_lead_to_the_same_trunk_map(layer: str) -> None:
    model = build_model(TINY).eval()
    images = torch.rand(2, 3, 64, 32)
    reached = model.forward_from(layer, model.map_at(layer, images))
    torch.testing.assert_close(reached, model.trunk_map(images))


def test_resnets_are_torchvisions() -> None:
    theirs = resnet18(weights=None).eval()
    config = ModelConfig(trunk="resnet18", stride=32, cpaa=(), branches=0)
    trunk = build_model(config).trunk.eval()
    trunk.load_state_dict({k: v for k, v in theirs.state_dict().items() if not k.startswith("fc")})
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(trunk(images), nn.Sequential(*theirs.children())[:-2](images))
