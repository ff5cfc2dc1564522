from __future__ import annotations

import json
import shlex
from dataclasses import asdict, replace
from typing import get_args

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mfa import presets
from mfa.cli import COMMANDS, run
from mfa.cli.complexity import Card
from mfa.cli.train import parse
from mfa.errors import InputError
from mfa.models.complexity import complexity, count_macs
from mfa.models.training_time import GPUS, Gpu, training_time


def resnet50_macs(height: int, width: int) -> int:
    """Multiply-adds of a ResNet-50 without fc and with last stride 1, layer by layer, by hand."""
    h, w = height // 2, width // 2
    total = h * w * 64 * 3 * 7 * 7
    h, w, channels = h // 2, w // 2, 64
    for stage, (blocks, planes) in enumerate(zip((3, 4, 6, 3), (64, 128, 256, 512), strict=True)):
        for block in range(blocks):
            total += h * w * channels * planes  # 1x1, before the stride
            inside = channels
            if block == 0 and stage in (1, 2):
                h, w = h // 2, w // 2
            total += h * w * planes * planes * 9
            total += h * w * planes * 4 * planes
            if block == 0:
                total += h * w * inside * 4 * planes
            channels = 4 * planes
    return total


def mfa_macs(height: int, width: int) -> int:
    """What CPAA after layers 2 to 4 and four bottleneck branches add, by hand."""
    total = 0
    sizes = ((512, 8), (1024, 16), (2048, 16))
    for c, stride in sizes:
        n = (height // stride) * (width // stride)
        total += 2 * c * c * n  # x x^T and A x
        total += 2 * n * c * (c // 8) + n * c * (c // 8)  # q, k, and v in 8 groups
        total += n * n * (c // 8) + n * n * c  # q^T k and v P^T
    n = (height // 16) * (width // 16)
    return total + 4 * n * (2 * 2048 * 128 + 9 * 128 * 128)


@pytest.mark.parametrize(
    ("name", "parameters", "descriptor"),
    [
        ("paper", 28_298_698, 8192),
        ("guided", 28_306_902, 8192),
        ("baseline", 23_508_032 + 1 + 4096, 2048),
    ],
)
def test_size_of_the_presets(name: str, parameters: int, descriptor: int) -> None:
    found = complexity(presets.get(name))
    assert found.parameters == parameters
    assert found.parameters_train == parameters + 751 * descriptor
    assert found.descriptor_dim == descriptor


def test_macs_are_those_counted_by_hand() -> None:
    trunk = resnet50_macs(256, 128)
    assert complexity(presets.baseline()).macs == trunk
    assert complexity(presets.paper()).macs == trunk + mfa_macs(256, 128)


def test_identities_count_only_in_training() -> None:
    few, many = complexity(presets.demo(), 10), complexity(presets.demo(), 110)
    assert many.parameters_train - few.parameters_train == 100 * few.descriptor_dim
    assert replace(many, parameters_train=few.parameters_train) == few


def test_no_identities_are_refused() -> None:
    with pytest.raises(InputError, match="identities"):
        complexity(presets.demo(), 0)


def test_macs_of_a_convolution_by_hand() -> None:
    convolution = nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2)
    assert count_macs(convolution, torch.zeros(2, 4, 8, 10)) == 2 * (4 * 5) * 6 * (4 // 2) * 9


def test_attention_counts_as_plain_products_whatever_computes_it() -> None:
    class Attention(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.scaled_dot_product_attention(x, x[:, :, :3], x[:, :, :3])

    tokens = torch.zeros(2, 4, 5, 6)  # 2 pictures, 4 heads, 5 queries of 6 channels, 3 keys
    assert count_macs(Attention(), tokens) == 2 * (2 * 4 * 5 * 3 * 6)


def float32_macs(height: int, width: int) -> int:
    """What CPAA multiplies in float32 also in mixed precision: x x^T and q^T k, by hand."""
    total = 0
    for c, stride in ((512, 8), (1024, 16), (2048, 16)):
        n = (height // stride) * (width // stride)
        total += c * c * n + n * n * (c // 8)
    return total


def test_the_time_of_a_training_by_hand() -> None:
    card = Gpu("a card", half=1e12, single=1e11, source="a test")
    found = training_time(presets.paper(), card, identities=751, pictures=1000)
    single = float32_macs(256, 128)
    half = resnet50_macs(256, 128) + mfa_macs(256, 128) + 4 * 2048 * 751 - single
    # Two operations per multiply-add; the backward pass is two forward passes.
    assert found.operations_half == 6 * half
    assert found.operations_single == 6 * single
    assert found.pictures == 120 * 1000
    seconds = 120_000 * (6 * half / 1e12 + 6 * single / 1e11)
    assert found.hours_at_peak == pytest.approx(seconds / 3600)


def test_attention_of_a_transformer_computes_in_16_bits() -> None:
    assert training_time(presets.get("transreid-demo"), GPUS["a100"]).operations_single == 0


def test_the_command_says_how_long_a_card_takes_and_what_measures_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert set(get_args(Card)) == GPUS.keys()
    words = ["complexity", "demo", "--variant", "guided", "--gpu", "a100"]
    assert run("mfa", COMMANDS, [*words, "--json"]) == 0
    found = training_time(presets.variant(presets.demo(), "guided"), GPUS["a100"])
    assert json.loads(capsys.readouterr().out)["training"] == asdict(found)
    assert run("mfa", COMMANDS, words) == 0
    printed = capsys.readouterr().out
    assert "16 epochs, on one NVIDIA A100" in printed
    (line,) = [line for line in printed.splitlines() if "mfa train" in line]
    options = parse(shlex.split(line)[2:])
    assert (options.data, options.config.optim.epochs) == ("market1501", 2)
    assert options.config.model == presets.variant(presets.demo(), "guided").model


def test_no_random_number_is_drawn() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    complexity(presets.demo())
    assert torch.equal(torch.rand(3), expected)


def test_the_command_prints_one_json_object_or_words(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["complexity", "demo", "--variant", "anchored", "--identities", "10"]
    found = complexity(presets.variant(presets.demo(), "anchored"), 10)
    assert run("mfa", COMMANDS, [*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == asdict(found)
    assert run("mfa", COMMANDS, words) == 0
    printed = capsys.readouterr().out
    assert f"{found.parameters_train:,}  with classifiers of 10" in printed
    assert "96x48" in printed
